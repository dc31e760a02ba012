from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natsctl.bench.reader import FrameReader, Run
from natsctl.errors import WireError

Message = tuple[bytes, bytes, bytes]
"""Control line, headers, payload."""


class Feed:
    """Stands for a socket from which the pieces come one by one."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def recv_into(self, view: memoryview) -> int:
        if not self._pieces:
            return 0
        piece = self._pieces.pop(0)
        n = min(len(piece), len(view))
        view[:n] = piece[:n]
        if n < len(piece):
            self._pieces.insert(0, piece[n:])
        return n


def read(pieces: list[bytes], *, subjects: bytes = b"", joins: bool = True) -> tuple[list[Message], list[bytes]]:
    messages: list[Message] = []
    lines: list[bytes] = []

    def on_run(run: Run) -> None:
        for at in range(run.start, run.start + run.n * run.stride, run.stride):
            headers = bytes(run.data[at - run.header_size : at])
            messages.append((run.line, headers, bytes(run.data[at : at + run.size])))

    reader = FrameReader(on_run, lines.append, subjects=subjects, joins=joins)
    feed = Feed(list(pieces))
    while reader.read_from(feed):  # type: ignore[arg-type]  # all it uses of a socket
        pass
    return messages, lines


def frame(subject: bytes, payload: bytes, headers: bytes = b"") -> tuple[bytes, Message]:
    if headers:
        line = b"HMSG %s 1 %d %d" % (subject, len(headers), len(headers) + len(payload))
    else:
        line = b"MSG %s 1 %d" % (subject, len(payload))
    return line + b"\r\n" + headers + payload + b"\r\n", (line, headers, payload)


payloads = st.sampled_from([b"", b"x", b"\r\n", b"MSG a 1 1\r\nx\r\n", b"PING\r\n", bytes(16), b"y" * 1000])
frames = st.builds(
    frame, st.sampled_from([b"a", b"b.c"]), payloads, st.sampled_from([b"", b"NATS/1.0\r\nA: b\r\n\r\n"])
)
runs = st.tuples(frames, st.integers(1, 5)).map(lambda pair: [pair[0]] * pair[1])
others = st.sampled_from([b"PING", b"PONG", b"+OK", b"-ERR 'no'", b"INFO {}"]).map(
    lambda line: [(line + b"\r\n", line)]
)


@settings(deadline=None)
@given(st.lists(st.one_of(runs, others), max_size=15), st.lists(st.integers(1, 300), min_size=1), st.booleans())
def test_every_message_and_line_comes_once_however_the_bytes_are_cut(
    parts: list[list[tuple[bytes, Message | bytes]]], cuts: list[int], joins: bool
) -> None:
    sent = [item for part in parts for item in part]
    data = b"".join(raw for raw, _ in sent)
    pieces: list[bytes] = []
    while data:
        n = cuts[len(pieces) % len(cuts)]
        pieces.append(data[:n])
        data = data[n:]
    messages, lines = read(pieces, joins=joins)
    assert messages == [item for _, item in sent if isinstance(item, tuple)]
    assert lines == [item for _, item in sent if isinstance(item, bytes)]


def test_like_messages_come_as_one_run() -> None:
    runs: list[int] = []
    reader = FrameReader(lambda run: runs.append(run.n), lambda line: None)
    raw, _ = frame(b"a", bytes(16))
    reader.read_from(Feed([raw * 300]))  # type: ignore[arg-type]  # all it uses of a socket
    assert runs == [1, 299]  # the first one shows what to look for


def test_numbered_subjects_of_equal_length_come_as_one_run() -> None:
    runs: list[int] = []
    reader = FrameReader(lambda run: runs.append(run.n), lambda line: None, subjects=rb"a\.[0-9]{3}")
    data = b"".join(frame(b"a.%03d" % number, bytes(16))[0] for number in range(300))
    reader.read_from(Feed([data]))  # type: ignore[arg-type]  # as above
    assert runs == [300]


def test_a_message_larger_than_the_buffer_comes_whole() -> None:
    raw, message = frame(b"a", b"z" * 3_000_000)
    assert read([raw, raw])[0] == [message, message]


@pytest.mark.parametrize(
    "data",
    [
        b"MSG a 1 x\r\n",
        b"MSG a 1 -1\r\n",
        b"MSG a\r\n",
        b"HMSG a 1 9 3\r\n",
        b"MSG a 1 999999999999\r\n",
        b"y" * 70_000,
    ],
)
def test_what_is_not_the_protocol_is_refused(data: bytes) -> None:
    with pytest.raises(WireError, match="does not speak NATS"):
        read([data])


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair()
    with left, right:
        yield left, right


def test_the_end_of_a_connection_is_told_by_zero(pair: tuple[socket.socket, socket.socket]) -> None:
    reader = FrameReader(lambda run: None, lambda line: None)
    pair[0].sendall(b"PING\r\n")
    assert reader.read_from(pair[1]) == 6
    pair[0].close()
    assert reader.read_from(pair[1]) == 0
