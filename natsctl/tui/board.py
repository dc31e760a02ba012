"""What all screens look at: the snapshots of all servers, their past, and how the user wants to see them.

Bounds: :class:`~natsctl.monitoring.history.History` keeps the numbers of the last 20 minutes of each server, and
:class:`~natsctl.monitoring.rewind.Rewind` its whole snapshots, packed, in 64 MiB for each of the first four servers
and 4 MiB for each further one; where that is too little, they become sparser, but reach as far back.
"""

from __future__ import annotations

import asyncio
import math
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from natsctl.errors import LinkError
from natsctl.monitoring.cluster import Peer
from natsctl.monitoring.dns import ReverseLookups
from natsctl.monitoring.history import History, Ring
from natsctl.monitoring.rewind import Rewind
from natsctl.monitoring.snapshot import ConnectionKey, Query, Snapshot
from natsctl.monitoring.times import NS
from natsctl.ops.watch import Source, Watch

__all__ = ["Board", "Settings"]

SPAN_S = 1200.0
REWIND_BYTES = 64 * 1024 * 1024
FURTHER_REWIND_BYTES = 4 * 1024 * 1024
FULL_REWINDS = 4
PATIENCE_S = 2.0
"""A poll may take so long before it is mentioned."""
MAX_SPEED = 1024.0
MAX_RISES = 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """How the user wants to see it; the same for all screens.

    Attributes:
        limit: How many connections to ask for.
        sort: The server's sort option.
        lookup: Host names in place of addresses.
        raw: Plain numbers in place of ``1.5K``.
        per_second: Rates in place of totals.
        subscriptions: The subjects of each connection.
    """

    limit: int
    sort: str
    lookup: bool
    raw: bool
    subscriptions: bool
    per_second: bool = False


class _Past:
    """The past of one server."""

    def __init__(self, interval_s: float, max_bytes: int) -> None:
        self.history = History(interval_s=interval_s, span_s=SPAN_S)
        self.rewind = Rewind(span_s=SPAN_S, max_bytes=max_bytes)
        self._taken_at_ns: deque[int] = deque(maxlen=math.ceil(SPAN_S / interval_s))

    def add(self, snapshot: Snapshot, *, keep: bool) -> None:
        self.history.add(snapshot)
        if keep:
            self.rewind.add(snapshot)
        self._taken_at_ns.append(snapshot.taken_at_ns)

    def count_after(self, moment_ns: int) -> int:
        """How many snapshots were taken after a moment."""
        return len(self._taken_at_ns) - bisect_right(self._taken_at_ns, moment_ns)


class Board:
    """The state of the dashboard, without a terminal.

    Args:
        watch: What is watched, and the settings to begin with.
        source: Where the snapshots come from. It remains the caller's, who closes it.
        names: Finds the names of addresses.
        clock: Seconds on a monotonic clock.

    Attributes:
        settings: How the user wants to see it.

    Task: all methods are for one event loop.
    """

    def __init__(
        self,
        watch: Watch,
        source: Source,
        names: ReverseLookups | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.watch = watch
        self.source = source
        self.settings = Settings(watch.limit, watch.sort, watch.lookup, watch.raw, watch.subscriptions)
        self._names = names or ReverseLookups()
        self._clock = clock
        self._heard_mono: dict[str, float] = {}
        self._latest: dict[str, Snapshot] = {}
        self._pasts: dict[str, _Past] = {}
        self._rises_ns: deque[int] = deque(maxlen=MAX_RISES)
        self._moment_ns: int | None = None
        self._then: dict[str, Snapshot] = {}
        self._moved = asyncio.Event()
        self._is_at_end = False

    @property
    def servers(self) -> list[str]:
        """The base URLs of the servers, also of those that were never read."""
        return self.source.servers

    @property
    def missing(self) -> list[Peer]:
        """Servers of the cluster whose monitoring was not found."""
        return self.source.missing

    @property
    def has_several(self) -> bool:
        """Whether there is more than one server, found or missing."""
        return len(self.servers) + len(self.missing) > 1

    @property
    def snapshots(self) -> list[Snapshot]:
        """What is shown of each server that was polled already, at the moment that is shown."""
        return [snapshot for server in self.servers if (snapshot := self.snapshot(server))]

    def snapshot(self, server: str) -> Snapshot | None:
        """What is shown of one server: the latest, or that of the moment the user went back to."""
        return (self._latest if self._moment_ns is None else self._then).get(server)

    def silent_s(self, server: str) -> float:
        """How long a poll of a server is overdue, in seconds; 0 while it is not, in a replay, and in the past."""
        if self.moment_ns is not None or server not in self._heard_mono:
            return 0.0
        since_s = self._clock() - self._heard_mono[server]
        return since_s if since_s > self.watch.interval_s + PATIENCE_S else 0.0

    def history(self, server: str) -> History:
        """The numbers of the last minutes of a server, also those after the moment shown."""
        return self._past(server).history

    def series(self, server: str, name: str, length: int) -> list[float]:
        """The last values of a server's series up to the moment shown, oldest first."""
        return self._shown_of(server, self.history(server).server(name), length)

    def connection_series(self, server: str, cid: ConnectionKey, name: str, length: int) -> list[float]:
        """The last values of a connection's series up to the moment shown; none where its history is not kept."""
        ring = self.history(server).connection(cid, name)
        return self._shown_of(server, ring, length) if ring else []

    def _shown_of(self, server: str, ring: Ring, length: int) -> list[float]:
        """The values of a ring without those that came after the moment shown."""
        behind = 0 if self._moment_ns is None else self._past(server).count_after(self._moment_ns)
        values = ring.last(length + behind)
        return values[: max(0, len(values) - behind)]

    def host(self, ip: str) -> str:
        """An address, or its name once that is known and if names are wanted."""
        return (self.settings.lookup and self._names.name_of(ip)) or ip

    @property
    def query(self) -> Query:
        """What the settings ask of each server."""
        settings = self.settings
        return msgspec.structs.replace(
            self.watch.query, limit=settings.limit, sort=settings.sort, subs=settings.subscriptions
        )

    def change(self, **changes: object) -> None:
        """Change settings, see :class:`Settings`."""
        self.settings = replace(self.settings, **changes)  # type: ignore[arg-type]  # the names are those of Settings

    async def follow(self, show: Callable[[], None]) -> None:
        """Take in snapshots until there are no more; a replay goes on after its end when the user moves back.

        Args:
            show: Called after each snapshot, and at the end of a replay.

        Raises:
            NatsctlError: The recording cannot be written or read.
        """
        while True:
            self._moved.clear()
            self._is_at_end = False
            async for snapshot in self.source.snapshots():
                self.add(snapshot)
                show()
            if self.source.player is None or self.watch.refreshes is not None:
                return
            self._is_at_end = True
            show()
            await self._moved.wait()

    def add(self, snapshot: Snapshot) -> None:
        """Take in the next snapshot of a server."""
        before = self._latest.get(snapshot.server)
        if before and _slow_consumers(before) < _slow_consumers(snapshot):
            self._rises_ns.append(snapshot.taken_at_ns)
        self._latest[snapshot.server] = snapshot
        self._heard_mono[snapshot.server] = self._clock()
        self._past(snapshot.server).add(snapshot, keep=self.source.player is None)

    async def ask(self, query_for: Callable[[str], Query]) -> None:
        """Ask each server for what a screen needs of it."""
        for server in self.servers:
            await self.source.set_query(server, query_for(server))

    def check_read(self) -> None:
        """Check that there was something to see.

        Raises:
            LinkError: No server could ever be read.
        """
        failed = [snapshot for snapshot in self._latest.values() if snapshot.error]
        if failed and not any(snapshot.varz for snapshot in self._latest.values()):
            raise LinkError(failed[0].error, url=failed[0].server, hint=failed[0].hint or None)

    def close(self) -> None:
        """End the lookups."""
        self._names.close()

    @property
    def is_paused(self) -> bool:
        """Whether what is shown stands still."""
        player = self.source.player
        return player.is_paused if player else self._moment_ns is not None

    @property
    def is_at_end(self) -> bool:
        """Whether a replay came to its end."""
        return self._is_at_end

    @property
    def moment_ns(self) -> int | None:
        """The moment shown; None when it is now."""
        player = self.source.player
        return player.position_ns if player else self._moment_ns

    @property
    def behind_s(self) -> float:
        """How far the moment shown lies back, in seconds."""
        if self._moment_ns is None or not self._latest:
            return 0.0
        return max(0.0, (self._newest_ns - self._moment_ns) / NS)

    def pause(self, paused: bool = True) -> None:
        """Let what is shown stand still, or go on from now; polling goes on."""
        if player := self.source.player:
            player.pause(paused)
        elif not paused:
            self._moment_ns = None
            self._then = {}
        elif self._moment_ns is None and self._latest:
            self._go_to(self._newest_ns)

    def step(self, seconds: float) -> None:
        """Go back, with a negative number, or forth; what is shown stands still there."""
        if self._latest:
            self._go_to(self._position_ns + int(seconds * NS))

    def go_to_rise(self) -> bool:
        """Go back to when slow consumers last became more before the moment shown; tells whether they did."""
        player = self.source.player
        rises_ns = player.recording.rises_ns if player else self._rises_ns
        earlier_ns = [rise_ns for rise_ns in rises_ns if rise_ns < self._position_ns]
        if earlier_ns:
            self._go_to(earlier_ns[-1])
        return bool(earlier_ns)

    def change_speed(self, factor: float) -> None:
        """Play a recording faster or slower; what happens now has a speed of its own."""
        if player := self.source.player:
            player.speed = min(MAX_SPEED, player.speed * factor)

    @property
    def _newest_ns(self) -> int:
        return max((snapshot.taken_at_ns for snapshot in self._latest.values()), default=0)

    @property
    def _position_ns(self) -> int:
        return self._newest_ns if self.moment_ns is None else self.moment_ns

    def _go_to(self, moment_ns: int) -> None:
        if player := self.source.player:
            player.pause()
            self._pasts.clear()  # what was seen is not what comes before the new place
            player.seek(moment_ns)
            self._moved.set()
            return
        oldest_ns = min(past.rewind.times[0] for past in self._pasts.values() if len(past.rewind))
        self._moment_ns = max(oldest_ns, min(moment_ns, self._newest_ns))
        found = {server: past.rewind.at(self._moment_ns) for server, past in self._pasts.items()}
        self._then = {server: snapshot for server, snapshot in found.items() if snapshot}

    def _past(self, server: str) -> _Past:
        if server not in self._pasts:
            max_bytes = REWIND_BYTES if len(self._pasts) < FULL_REWINDS else FURTHER_REWIND_BYTES
            self._pasts[server] = _Past(self.watch.interval_s, max_bytes)
        return self._pasts[server]


def _slow_consumers(snapshot: Snapshot) -> int:
    return snapshot.varz.slow_consumers if snapshot.varz else 0
