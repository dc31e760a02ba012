"""Read recordings back: find a moment in them, and play them at some speed."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import msgspec

from natsctl.errors import UsageError
from natsctl.monitoring.recording import FORMAT, Header, segments_of
from natsctl.monitoring.snapshot import Reading, Snapshot, Tracker
from natsctl.monitoring.times import NS

__all__ = ["Player", "Recording"]

MAX_LINE_BYTES = 256 * 1024 * 1024
MAX_LINES = 4_000_000
MAX_SERVERS = 1024
MAX_TOTAL_BYTES = 64 * 1024**3
MIN_SPEED = 1e-3
MAX_WAIT_S = 5.0
"""Longer pauses in a recording are cut to this, whatever the speed."""


class _MarkedVarz(msgspec.Struct):
    slow_consumers: int = 0


class _Mark(msgspec.Struct):
    """As much of a reading as an index needs."""

    taken_at_ns: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    server: str
    varz: _MarkedVarz | None = None


class Recording:
    """A recording, indexed by time.

    A last line that a crash cut off is passed over. Hostile files cost bounded memory: lines are limited to 256 MiB,
    their number to 4 million of 1024 servers, all of them together, unpacked, to 64 GiB in a
    file.

    Args:
        path: A file, or the name given to a recorder that kept several.

    Attributes:
        servers: The servers in it, in the order they appear.
        rises_ns: When the slow consumers of one of them had become more.

    Raises:
        UsageError: There is no such file, or it is not a recording of a version this one knows.
    """

    def __init__(self, path: Path) -> None:
        self._paths = [path] if path.is_file() else segments_of(path)
        if not self._paths:
            raise UsageError(f'there is no recording "{path}"')
        self._times = array("q")
        self._places = array("q")
        self._files = array("L")
        self._decoder = msgspec.json.Decoder(Reading)
        self.rises_ns = array("q")
        slow_consumers: dict[str, int | None] = {}
        for number, file in enumerate(self._paths):
            with _opened(file) as stream:
                for place, mark in self._marks(file, stream):
                    # A clock that was set back must not break the search: time stands still instead.
                    self._times.append(max(mark.taken_at_ns, self._times[-1] if self._times else 0))
                    self._places.append(place)
                    self._files.append(number)
                    known = slow_consumers.setdefault(mark.server)
                    if len(slow_consumers) > MAX_SERVERS:
                        raise UsageError(f'"{file}" is of more than {MAX_SERVERS} servers')
                    if mark.varz:
                        slow_consumers[mark.server] = mark.varz.slow_consumers
                        if known is not None and mark.varz.slow_consumers > known:
                            self.rises_ns.append(self._times[-1])
        self.servers = list(slow_consumers)

    def __len__(self) -> int:
        return len(self._times)

    @property
    def started_at_ns(self) -> int:
        """When its first reading was taken; 0 without any."""
        return self._times[0] if self._times else 0

    @property
    def ended_at_ns(self) -> int:
        """When its last reading was taken; 0 without any."""
        return self._times[-1] if self._times else 0

    def time_of(self, index: int) -> int:
        """When a reading was taken."""
        return self._times[index]

    def index_at(self, at_ns: int) -> int:
        """The index of the first reading taken at this time or later; the length when there is none."""
        return bisect_left(self._times, at_ns)

    def readings(self, start: int = 0) -> Iterator[Reading]:
        """Read from an index on."""
        while start < len(self):
            number = self._files[start]
            end = bisect_right(self._files, number, start)
            with _opened(self._paths[number]) as stream:
                for index in range(start, end):
                    stream.seek(self._places[index])
                    try:
                        yield self._decoder.decode(stream.readline(MAX_LINE_BYTES))
                    except (msgspec.MsgspecError, RecursionError):
                        raise _damaged(self._paths[number], self._places[index]) from None
            start = end

    def _marks(self, file: Path, stream: BinaryIO) -> Iterator[tuple[int, _Mark]]:
        decoder = msgspec.json.Decoder(_Mark)
        header = _line(stream)
        if len(self._paths) > 1 and not header.endswith(b"\n"):
            return  # one of several, begun just before a crash
        _check_header(file, header)
        total = 0
        while len(self) < MAX_LINES:
            place = stream.tell()
            line = _line(stream)
            total += len(line)
            if not line.endswith(b"\n"):  # the end, or a line that a crash cut off
                if len(line) == MAX_LINE_BYTES:
                    raise UsageError(f'"{file}" has a line of more than {MAX_LINE_BYTES} bytes')
                return
            if total > MAX_TOTAL_BYTES:
                raise UsageError(f'"{file}" holds more than {MAX_TOTAL_BYTES} bytes')
            try:
                yield place, decoder.decode(line)
            except (msgspec.MsgspecError, RecursionError):
                raise _damaged(file, place) from None
        raise UsageError(f'"{file}" holds more than {MAX_LINES} readings')


class Player:
    """Plays a recording as if its servers were polled now.

    Args:
        recording: What to play.
        speed: How many times faster than it happened.

    Task: :meth:`snapshots` is iterated by one task; the other methods are for callers on the same event loop.
    """

    def __init__(self, recording: Recording, *, speed: float = 1.0) -> None:
        self.recording = recording
        self._speed = max(speed, MIN_SPEED)
        self._next = 0
        self._shown = 0
        self._sought = False
        self._is_paused = False
        self._changed = asyncio.Event()

    @property
    def position_ns(self) -> int:
        """When the reading shown last, or sought, was taken; 0 for a recording without any."""
        return self.recording.time_of(self._shown) if len(self.recording) else 0

    @property
    def speed(self) -> float:
        """How many times faster than it happened; may be changed at any time."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._speed = max(speed, MIN_SPEED)
        self._changed.set()

    @property
    def is_paused(self) -> bool:
        """Whether it stands still."""
        return self._is_paused

    def pause(self, paused: bool = True) -> None:
        """Stand still, or go on."""
        self._is_paused = paused
        self._changed.set()

    def seek(self, at_ns: int) -> None:
        """Go to a moment; the reading taken then, or next, or else the last, is shown at once, also while paused."""
        self._next = self._shown = max(0, min(self.recording.index_at(at_ns), len(self.recording) - 1))
        self._sought = True
        self._changed.set()

    async def snapshots(self) -> AsyncGenerator[Snapshot, None]:
        """Play from the current position to the end; after a seek from there it may be called again."""
        while self._next < len(self.recording):
            self._sought = False
            start = self._next
            # Readings before the start are tracked unseen, so that the first one shown has rates.
            lead = max(0, start - 2 * len(self.recording.servers))
            trackers = {server: Tracker() for server in self.recording.servers}
            for index, reading in enumerate(self.recording.readings(lead), lead):
                if index > start:
                    await self._wait(index)
                    if self._sought:
                        break
                snapshot = trackers[reading.server].update(reading)
                if index >= start:
                    self._next, self._shown = index + 1, index
                    yield snapshot

    async def _wait(self, index: int) -> None:
        """Wait as long as it took from the reading before to this one, unless sought elsewhere."""
        recording = self.recording
        left_s = (recording.time_of(index) - recording.time_of(index - 1)) / NS
        loop = asyncio.get_running_loop()
        while not self._sought and (self._is_paused or left_s > 0):
            self._changed.clear()
            began, speed, was_paused = loop.time(), self._speed, self._is_paused
            try:
                async with asyncio.timeout(None if was_paused else min(left_s / speed, MAX_WAIT_S)):
                    await self._changed.wait()
            except TimeoutError:
                return
            if not was_paused:
                left_s -= (loop.time() - began) * speed


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            is_packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if not is_packed:
                yield file
                return
            with gzip.GzipFile(fileobj=file) as stream:
                yield cast(BinaryIO, stream)
    except OSError as error:
        raise UsageError(f'cannot read the recording "{path}": {error.strerror or error}') from None


def _line(stream: BinaryIO) -> bytes:
    """The next line; what is left where the file breaks off in the middle of its compression counts as nothing."""
    try:
        return stream.readline(MAX_LINE_BYTES)
    except (EOFError, zlib.error):
        return b""


def _check_header(file: Path, line: bytes) -> None:
    try:
        version = msgspec.json.decode(line, type=Header).natsctl_recording
    except (msgspec.MsgspecError, RecursionError):
        raise UsageError(f'"{file}" is not a recording') from None
    if version != FORMAT:
        raise UsageError(f'"{file}" is a recording of format {version}; this version reads format {FORMAT}')


def _damaged(file: Path, place: int) -> UsageError:
    return UsageError(f'"{file}" is damaged at byte {place}')
