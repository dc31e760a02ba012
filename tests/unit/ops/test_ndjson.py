from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natsctl.errors import UsageError
from natsctl.ops.message import Message
from natsctl.ops.ndjson import read_record, to_record, write_record

text = st.text(st.characters(exclude_categories=["Cs"]))
header_values = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])).map(str.strip)
messages = st.builds(
    Message,
    subject=text,
    body=st.binary() | text.map(str.encode),
    reply=text,
    headers=st.dictionaries(st.text("abcXYZ-", min_size=1), st.lists(header_values, min_size=1), max_size=3),
)


@given(messages)
def test_a_message_comes_back_from_its_line(message: Message) -> None:
    line = write_record(to_record(replace(message, received_at=1.5, sid=3), 7))
    assert line.count(b"\n") == 1
    assert read_record(line, 1) == message


def test_a_line_is_plain_json() -> None:
    record = to_record(Message("s", "ü".encode(), headers={"A": ["1", "2"]}, sid=2, received_at=0.0), 4)
    assert json.loads(write_record(record)) == {
        "subject": "s",
        "headers": {"A": ["1", "2"]},
        "body": "ü",
        "time": "1970-01-01T00:00:00+00:00",
        "sid": 2,
        "seq": 4,
    }


def test_one_header_value_may_stand_without_a_list() -> None:
    assert read_record(b'{"subject":"s","headers":{"A":"1"}}', 1) == Message("s", headers={"A": ["1"]})


@given(st.binary())
def test_whatever_is_no_message_is_refused_with_its_line(line: bytes) -> None:
    with pytest.raises(UsageError, match=r"^line 42: "):
        read_record(line, 42)
