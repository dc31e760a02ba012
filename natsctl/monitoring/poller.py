"""Poll several servers at once, each at its own pace: a slow one delays no other, and no request waits in line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import suppress

from natsctl.errors import NatsctlError
from natsctl.monitoring.reader import Reader
from natsctl.monitoring.snapshot import Query, Reading, Snapshot, Tracker

__all__ = ["MIN_INTERVAL_S", "Poller", "take_reading"]

MIN_INTERVAL_S = 0.05


async def take_reading(reader: Reader, query: Query) -> Reading:
    """Poll a server once; what goes wrong is part of the reading."""
    asked_mono = time.monotonic()
    reading = Reading(taken_at_ns=0, server=reader.url, asked_mono=asked_mono, taken_mono=0.0)
    try:
        reading.varz = await reader.varz()
        await _read_further(reader, query, reading)
    except NatsctlError as error:
        reading.error, reading.hint = str(error), error.hint or ""
    reading.taken_at_ns, reading.taken_mono = time.time_ns(), time.monotonic()
    return reading


async def _read_further(reader: Reader, query: Query, reading: Reading) -> None:
    if query.connections:
        reading.connz = await reader.connz(
            limit=query.limit,
            offset=query.offset,
            sort=query.sort,
            state=query.state,
            subs=query.subs,
            auth=query.auth,
            cid=query.cid,
            user=query.user,
            acc=query.acc,
        )
    if query.closed:
        reading.closed = await reader.connz(state="closed", sort="stop", limit=query.limit, auth=query.auth)
    if query.routez:
        reading.routez = await reader.routez()
    if query.leafz:
        reading.leafz = await reader.leafz()
    if query.subsz or query.test is not None:
        reading.subsz = await reader.subsz(test=query.test, acc=query.acc, limit=query.limit)


class Poller:
    """Polls servers until it is cancelled.

    Each server has one request under way at most; a poll that takes longer than the interval is followed by the next
    at once, and those that would have come meanwhile are left out.

    Args:
        readers: The servers. They remain the caller's, who closes them afterwards.
        interval_s: Seconds from poll to poll; fractions are fine.
        query: What to ask for.
        record: Called with each reading before its snapshot is shown.

    Attributes:
        query: May be changed at any time; the next poll asks for it.
        interval_s: May be changed at any time.

    Task: one per server, all of the event loop that runs :meth:`run`; the methods are for callers on that loop.
    """

    def __init__(
        self,
        readers: Iterable[Reader],
        *,
        interval_s: float = 1.0,
        query: Query | None = None,
        record: Callable[[Reading], None] | None = None,
    ) -> None:
        self.query = query or Query()
        self.interval_s = interval_s
        self._record = record
        self._wakes: dict[Reader, asyncio.Event] = {reader: asyncio.Event() for reader in readers}
        self._tasks: asyncio.TaskGroup | None = None
        self._show: Callable[[Snapshot], None] = lambda snapshot: None

    @property
    def servers(self) -> list[str]:
        """The base URLs of the servers, in the order they were given."""
        return [reader.url for reader in self._wakes]

    def add(self, reader: Reader) -> None:
        """Poll one more server, unless one of the same URL is polled already."""
        if reader.url in self.servers:
            return
        self._wakes[reader] = asyncio.Event()
        if self._tasks is not None:
            self._tasks.create_task(self._poll(reader), name=f"poll {reader.url}")

    def wake(self) -> None:
        """Poll now, for example as the query has changed."""
        for event in self._wakes.values():
            event.set()

    async def run(self, show: Callable[[Snapshot], None]) -> None:
        """Poll until cancelled.

        Args:
            show: Called with the snapshot after each poll, on the event loop.
        """
        self._show = show
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                for reader in self._wakes:
                    tasks.create_task(self._poll(reader), name=f"poll {reader.url}")
        except ExceptionGroup as group:  # a recording that cannot be written, or a screen that cannot be drawn
            raise group.exceptions[0] from None
        finally:
            self._tasks = None

    async def snapshots(self) -> AsyncGenerator[Snapshot, None]:
        """Poll, and iterate over the snapshots; one server's latest replaces its earlier one that was not taken yet.

        Polling ends with the iterator: leave it with ``aclose()``, best through :func:`contextlib.aclosing`.
        """
        latest: dict[str, Snapshot] = {}
        arrived = asyncio.Event()

        def show(snapshot: Snapshot) -> None:
            latest[snapshot.server] = snapshot
            arrived.set()

        running = asyncio.create_task(self.run(show), name="poll servers")
        running.add_done_callback(lambda _: arrived.set())
        try:
            while not running.done():
                await arrived.wait()
                arrived.clear()
                while latest:
                    yield latest.pop(next(iter(latest)))
            running.result()
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    async def _poll(self, reader: Reader) -> None:
        tracker = Tracker()
        wake = self._wakes[reader]
        due = time.monotonic()
        while True:
            wake.clear()
            reading = await take_reading(reader, self.query)
            if self._record is not None:
                self._record(reading)
            self._show(tracker.update(reading))
            now = time.monotonic()
            due = max(due + max(self.interval_s, MIN_INTERVAL_S), now)
            with suppress(TimeoutError):
                async with asyncio.timeout(due - now):
                    await wake.wait()
                    due = time.monotonic()
