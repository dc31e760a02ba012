from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from natsctl.ops.command import command_arguments, command_environment
from natsctl.ops.message import Message


@given(st.lists(st.sampled_from(["ls", "{{0}}", "-{{1}}", "{{Request}}", "{{.9}}"])), st.text("a {}0'\"$;", max_size=9))
def test_a_request_never_changes_the_number_of_arguments(words: list[str], body: str) -> None:
    assert len(command_arguments(words, Message("a.b", body.encode()))) == len(words)


def test_places_are_filled_once() -> None:
    assert command_arguments(["{{Request}}-{{1}}"], Message("a.{{0}}", b"{{1}}")) == ["{{1}}-{{0}}"]


def test_the_environment_tells_of_this_request_only() -> None:
    stale = {"NATS_REQUEST_BODY": "old", "NATS_REQUEST_HEADER_X": "old", "PATH": "/bin"}
    request = Message("s", b"body", reply="r", headers={"x-y": ["1", "2"], "nul": ["a\0b"]})
    assert command_environment(stale, request) == {
        "PATH": "/bin",
        "NATS_REQUEST_SUBJECT": "s",
        "NATS_REQUEST_REPLY": "r",
        "NATS_REQUEST_BODY": "body",
        "NATS_REQUEST_HEADER_X_Y": "1, 2",
    }


def test_a_body_that_fits_no_variable_is_left_out() -> None:
    for body in (b"\xff", b"a\0b", b"x" * 131072):
        assert "NATS_REQUEST_BODY" not in command_environment({}, Message("s", body))
    assert "NATS_REQUEST_BODY" in command_environment({}, Message("s", b"x" * 131000))
