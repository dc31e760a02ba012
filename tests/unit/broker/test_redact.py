import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natsctl.broker.redact import redact_connect, trace_op, trace_payload

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("verb", "args", "shown"),
    [
        (b"PUB", b"foo 5", "[PUB foo 5]"),
        (b"PONG", b"", "[PONG]"),
        (b"-ERR", b"Unknown Protocol Operation", "[-ERR Unknown Protocol Operation]"),
        (b"SUB", b"fo\x1b[31mo\xff q 1", r"[SUB fo\x1b[31mo\xff q 1]"),
        (b"CONNECT", b'{"user":"a","pass":"b"}', '[CONNECT {"user":"a","pass":"[REDACTED]"}]'),
        (b"connect", b'{"user":"a","pass":"b"}', '[connect {"user":"a","pass":"[REDACTED]"}]'),
    ],
)
def test_a_control_line_is_shown_in_brackets(verb: bytes, args: bytes, shown: str) -> None:
    assert trace_op(verb, args) == shown


def test_a_payload_is_shown_quoted_and_cut_at_the_limit() -> None:
    assert trace_payload(b"hi\r\n") == r'MSG_PAYLOAD: ["hi\r\n"]'
    assert trace_payload(b"abcdef", 4) == 'MSG_PAYLOAD: ["abcd..."]'


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        ('{"pass":"a,b"}', '{"pass":"[REDACTED]"}'),
        ('{"pass":"a\\"b}c"}', '{"pass":"[REDACTED]"}'),
        ('{"PASS" : "upper"}', '{"PASS" : "[REDACTED]"}'),
        ('{"p\\u0061ss":"x","name":"n"}', '{"p\\u0061ss":"[REDACTED]","name":"n"}'),
        ('{"pass":{"deep":["x"]},"name":"n"}', '{"pass":[REDACTED],"name":"n"}'),
        ('{"pass":null,"jwt":"eyJ","nkey":"U","sig":"s"}', None),
        ('{"name":"my pass","lang":":","user":"sig"}', '{"name":"my pass","lang":":","user":"sig"}'),
        ('{"name":",\\":","user":"a","pass":"x"}', '{"name":",\\":","user":"a","pass":"[REDACTED]"}'),
        ('{"a":{"auth_token":"x"}}', '{"a":{"auth_token":"[REDACTED]"}}'),
        ('{"signature":"s","nkeys":"n"}', '{"signature":"s","nkeys":"n"}'),
        ("{}", "{}"),
    ],
)
def test_the_values_of_secret_keys_are_replaced_whole(document: str, shown: str | None) -> None:
    if shown is None:
        shown = '{"pass":[REDACTED],"jwt":"[REDACTED]","nkey":"[REDACTED]","sig":"[REDACTED]"}'
    assert redact_connect(document.encode()) == shown


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        ('{"user":"a" "pass":"x"}', '{"user":"a" "[REDACTED]'),
        ("pass=x", "[REDACTED]"),
        ('{"user":"a","p\\u0061ss":"x"', '{"user":"a","p[REDACTED]'),
        ('["pass","x"]', '["[REDACTED]'),
        ('"auth_token: x"', '"auth_[REDACTED]'),
        ('{"verbose":flase}', '{"verbose":flase}'),
        ("[" * 100_000 + '"pass"', "[" * 100_000 + '"[REDACTED]'),
    ],
)
def test_what_is_not_a_json_object_ends_before_the_first_suspicious_word(document: str, shown: str) -> None:
    assert redact_connect(document.encode()) == shown


KEYS = st.sampled_from(["pass", "Password", "auth_token", "jwt", "nkey", "sig", "proxy_sig", "user_pass"])
SECRETS = st.text().map(lambda noise: f"{noise}{SECRET}{noise}")
PLAIN = st.dictionaries(st.text(), st.recursive(st.none() | st.booleans() | st.text(), st.lists))


@given(PLAIN, KEYS, SECRETS | st.lists(SECRETS) | st.dictionaries(st.text(), SECRETS), PLAIN, st.booleans())
def test_a_secret_never_shows_and_the_rest_stays(
    before: dict[str, object], key: str, secret: object, after: dict[str, object], ensure_ascii: bool
) -> None:
    document = json.dumps({**before, key: secret, **after} | {key: secret}, ensure_ascii=ensure_ascii)
    shown = redact_connect(document.encode("utf-8", "surrogatepass"))
    assert SECRET not in shown
    assert shown.startswith("{") and shown.endswith("}")


@given(PLAIN, KEYS, SECRETS, st.data())
def test_a_secret_never_shows_in_a_truncated_or_damaged_document(
    before: dict[str, object], key: str, secret: str, data: st.DataObject
) -> None:
    document = json.dumps({**before, key: secret}).encode()
    place = data.draw(st.integers(0, document.index(key.encode())))
    damaged = document[:place] + data.draw(st.binary(max_size=2)) + document[place:]
    shown = redact_connect(damaged[: data.draw(st.integers(0, len(damaged)))])
    assert SECRET not in shown


@given(st.binary())
def test_any_bytes_can_be_shown_on_one_line(args: bytes) -> None:
    assert trace_op(b"CONNECT", args).replace("\t", "").isprintable()
