"""When output is late: who is given up, and who may go on."""

from __future__ import annotations

import asyncio
from typing import cast

from natsctl.broker.writer import Writer
from natsctl.engine.api import Session

DEADLINE_S = 0.05


class Output:
    """A session with one chunk to send."""

    def __init__(self) -> None:
        self.pending_bytes = 1000
        self._chunk = b"x" * self.pending_bytes

    def has_output(self) -> bool:
        return bool(self._chunk)

    def take(self) -> bytes:
        chunk, self._chunk = self._chunk, b""
        return chunk

    def sent(self, n_bytes: int) -> None:
        self.pending_bytes -= n_bytes

    def compact(self) -> None:
        """There is nothing to pack."""


class Socket(asyncio.Transport):
    """A transport whose peer takes as much as a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.unsent = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.unsent += len(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent


class Rig:
    """A writer, and what it says."""

    def __init__(self, *, may_retry: bool) -> None:
        self.socket, self.said = Socket(), asyncio.Queue[object]()
        self.writer = Writer(
            self.socket,
            cast(Session, Output()),
            deadline_s=DEADLINE_S,
            may_retry=may_retry,
            on_deadline=lambda *, is_late, gives_up: self.said.put_nowait((is_late, gives_up)),
            on_recovered=lambda took_s: self.said.put_nowait(took_s),
            on_drained=lambda: None,
        )
        self.writer.flush()

    async def next(self) -> object:
        async with asyncio.timeout(10):
            return await self.said.get()


async def test_a_peer_that_takes_nothing_is_given_up() -> None:
    for may_retry in (False, True):
        assert await Rig(may_retry=may_retry).next() == (False, True)


async def test_a_peer_that_takes_something_is_given_up_where_that_is_no_excuse() -> None:
    rig = Rig(may_retry=False)
    rig.socket.unsent = 500
    assert await rig.next() == (False, True)


async def test_a_peer_that_takes_something_may_go_on_and_recover() -> None:
    rig = Rig(may_retry=True)
    rig.socket.unsent = 500
    rig.writer.measure()  # a flush in between must not hide what was taken
    assert await rig.next() == (False, False)
    rig.socket.unsent = 400
    assert await rig.next() == (True, False)
    rig.socket.unsent = 0
    rig.writer.resume()
    took_s = await rig.next()
    assert isinstance(took_s, float)
    assert took_s >= 2 * DEADLINE_S


async def test_a_peer_that_begins_to_take_nothing_again_is_given_up() -> None:
    rig = Rig(may_retry=True)
    rig.socket.unsent = 500
    assert await rig.next() == (False, False)
    assert await rig.next() == (True, True)
