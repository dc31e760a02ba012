"""cfssl's JSON: read as Go reads it, and what is wrong has a place."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natsctl.errors import ConfigError
from natsctl.pki.documents import MAX_DOCUMENT_BYTES, parse, read
from natsctl.pki.request import Request

VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(VALUE)
def test_json_is_read_as_it_is(value: object) -> None:
    assert parse(json.dumps(value).encode(), "x.json") == (value, [])


@given(VALUE, st.sampled_from(["", " ", "\n", " \t\n  "]))
def test_a_comma_before_each_closing_bracket_changes_nothing_but_is_told_of(value: object, space: str) -> None:
    plain = json.dumps(value, indent=1).encode()
    n_closing = sum(_count(value, kind) for kind in (list, dict))
    found, warnings = parse(_with_commas(value, space).encode(), "x.json")
    assert found == json.loads(plain)
    assert len(warnings) == n_closing


def _count(value: object, kind: type) -> int:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return (isinstance(value, kind) and bool(value)) + sum(_count(item, kind) for item in inner)


def _with_commas(value: object, space: str) -> str:
    if isinstance(value, list) and value:
        return "[" + ",".join(_with_commas(item, space) for item in value) + "," + space + "]"
    if isinstance(value, dict) and value:
        items = (json.dumps(key) + ":" + _with_commas(item, space) for key, item in value.items())
        return "{" + ",".join(items) + "," + space + "}"
    return json.dumps(value)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read(data, Request, "x.json")
    except ConfigError as error:
        assert str(error).startswith("x.json")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"CN": "x"', "x.json:1:11: "),
        ("", "x.json:1:1: "),
        ('{\n  "CN": "x"\n  "hosts": []\n}', "x.json:3:3: "),
        ('{"hosts": [,]}', "x.json:1:12: "),
        ('{"hosts": ["a",,]}', "x.json:1:16: "),
        ("{,}", "x.json:1:2: "),
        ('{"CN": "x"} {}', "x.json:1:13: "),
        ("{'CN': 'x'}", "x.json:1:2: "),
        ('{"CN": "a\nb"}', "x.json:1:10: "),
    ],
)
def test_malformed_json_is_refused_with_line_and_column(text: str, place: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(text.encode(), "x.json")
    assert str(refused.value).startswith(place)


@pytest.mark.parametrize(
    "text",
    ['{"size": NaN}', "[Infinity]", pytest.param("[" * 100_000, id="deep"), pytest.param("1" * 10_000, id="long")],
)
def test_what_python_would_take_or_choke_on_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^x\.json"):
        parse(text.encode(), "x.json")


@pytest.mark.parametrize("unit", ['"', '"\\"', ", ", "[],", '",', "\\"])
def test_hostile_text_takes_no_longer_than_its_length_allows(unit: str) -> None:
    text = unit * (MAX_DOCUMENT_BYTES // len(unit))
    began = time.process_time()
    with pytest.raises(ConfigError):
        parse(f"[{text}"[:MAX_DOCUMENT_BYTES].encode(), "x.json")
    assert time.process_time() - began < 10


def test_a_document_of_any_size_is_not_read() -> None:
    with pytest.raises(ConfigError, match="1048577 bytes exceed the limit of 1048576"):
        parse(b" " * (MAX_DOCUMENT_BYTES + 1), "x.json")


def test_text_that_is_not_utf_8_is_refused_with_its_place() -> None:
    with pytest.raises(ConfigError, match=r"x\.json:2:3: not UTF-8"):
        parse("{\n é".encode() + b"\xff}", "x.json")


def test_keys_count_in_any_case_and_null_is_nothing() -> None:
    request, warnings = read(b'{"cn": "x", "HOSTS": null, "Key": {"ALGO": "rsa", "Size": 2048}}', Request, "x.json")
    assert (request.cn, request.hosts, str(request.key_policy)) == ("x", [], "rsa-2048")
    assert warnings == []


def test_an_unknown_key_is_told_of_with_the_nearest_one() -> None:
    _, warnings = read(b'{"host": ["a"], "names": [{"city": "x"}]}', Request, "x.json")
    assert [str(warning) for warning in warnings] == [
        'x.json: unknown key "host" has no effect, did you mean "hosts"?',
        'x.json: unknown key "names[0].city" has no effect',
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"CN": 5}', "CN: expected str, got int"),
        ('{"key": {"size": "big"}}', "key.size: expected int, got str"),
        ('{"hosts": ["a", 1]}', "hosts[1]: expected str, got int"),
        ("[]", "expected object, got array"),
        ('{"CN": "\\ud800"}', "CN: half of a surrogate pair"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(text.encode(), Request, "x.json")
    assert str(refused.value) == f"x.json: {message}"
