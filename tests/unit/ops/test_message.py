from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natsctl.errors import UsageError
from natsctl.ops.client import RepeatedHeaders
from natsctl.ops.message import Headers, Message, add_header, header_block_size, parse_headers

names = st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1)
values = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])).map(str.strip)
headers = st.dictionaries(names, st.lists(values, min_size=1, max_size=3), max_size=5)


def on_the_wire(fields: Headers) -> bytes:
    """Write a header block as nats-py does with the pairs it is given."""
    lines = [f"{name}: {value}\r\n" for name, value in RepeatedHeaders(fields).items()]
    return ("NATS/1.0\r\n" + "".join(lines) + "\r\n").encode()


@given(headers)
def test_headers_come_back_as_they_were_sent(fields: Headers) -> None:
    block = parse_headers(on_the_wire(fields))
    assert block.fields == fields
    assert (block.status, block.description) == ("", "")


@given(headers)
def test_the_size_of_a_block_is_what_it_takes_on_the_wire(fields: Headers) -> None:
    assert header_block_size(fields) == (len(on_the_wire(fields)) if fields else 0)


@given(st.binary())
def test_any_bytes_are_a_block(block: bytes) -> None:
    for name, found in parse_headers(block).fields.items():
        assert name
        assert found


def test_a_status_is_read_with_and_without_description() -> None:
    assert parse_headers(b"NATS/1.0 503\r\n\r\n").status == "503"
    block = parse_headers(b"NATS/1.0 404 No Messages\r\nA: b\r\n\r\n")
    assert (block.status, block.description, block.fields) == ("404", "No Messages", {"A": ["b"]})


def test_only_an_empty_503_means_no_responders() -> None:
    assert Message("x", status="503").is_no_responders
    assert not Message("x", b"body", status="503").is_no_responders
    assert not Message("x", headers={"Status": ["503"]}).is_no_responders


@pytest.mark.parametrize(
    ("name", "value"), [("", "x"), ("a b", "x"), ("ä", "x"), ("a:b", "x"), ("a", "b\rc"), ("a", "b\nc")]
)
def test_what_would_break_the_block_is_refused(name: str, value: str) -> None:
    with pytest.raises(UsageError):
        add_header({}, name, value)
