import json

import pytest

from natsctl.protocol.documents import Connect, Info, decode_connect, encode_info


def test_an_empty_connect_has_the_defaults_of_the_protocol() -> None:
    connect = decode_connect(b"{}")
    assert (connect.verbose, connect.pedantic, connect.echo) == (True, True, True)
    assert (connect.headers, connect.no_responders, connect.protocol) == (False, False, 0)
    assert not connect.has_credentials


@pytest.mark.parametrize("document", [b"null", b"{}", b'{"verbose": null}', b'{"unknown": [1, {}]}', b" { } "])
def test_null_and_unknown_keys_change_nothing(document: bytes) -> None:
    assert decode_connect(document) == Connect()


def test_keys_come_in_any_case() -> None:
    assert decode_connect(b'{"VERBOSE": false, "Pass": "p", "Auth_Token": "t"}') == Connect(
        verbose=False, password="p", auth_token="t"
    )


def test_a_later_connect_inherits_what_it_leaves_out() -> None:
    first = decode_connect(b'{"user": "u", "verbose": false, "echo": false}')
    assert decode_connect(b'{"echo": true}', first) == Connect(user="u", verbose=False, echo=True)
    assert decode_connect(b"null", first) == first


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    assert decode_connect(b'{"name": "a\xffb"}').name == "a\ufffdb"


@pytest.mark.parametrize(
    "document", [b"", b"{", b"[]", b"1", b'"{}"', b'{"verbose": "yes"}', b'{"user": 1}', b"{'a': 1}", b"[" * 100_000]
)
def test_what_is_no_connect_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        decode_connect(document)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("key", ["pass", "auth_token", "sig", "jwt"])
def test_a_refusal_never_repeats_a_secret(key: str) -> None:
    for document in (f'{{"{key}": "s3cret", "protocol": "x"}}', f'{{"{key}": "s3cret"', f'{{"{key}": ["s3cret"]}}'):
        with pytest.raises(ValueError, match=r".") as refused:
            decode_connect(document.encode())
        assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("key", ["user", "pass", "auth_token", "nkey", "jwt"])
def test_each_way_to_log_in_counts_as_credentials(key: str) -> None:
    assert decode_connect(json.dumps({key: "x"}).encode()).has_credentials


def test_info_is_one_line_with_a_blank_before_its_end_and_leaves_out_what_says_nothing() -> None:
    info = Info(
        server_id="N",
        server_name="n",
        version="2",
        proto=1,
        go="g",
        host="h",
        port=1,
        headers=False,
        max_payload=2,
    )
    line = encode_info(info)
    assert line.startswith(b"INFO {")
    assert line.endswith(b"} \r\n")
    assert line.count(b"\n") == 1
    assert list(json.loads(line[5:])) == [
        "server_id",
        "server_name",
        "version",
        "proto",
        "go",
        "host",
        "port",
        "headers",
        "max_payload",
    ]
