"""Servers that never were, as a screen sees them: fixed numbers, a fixed time, and a source that plays them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

from natsctl.monitoring.cluster import Peer
from natsctl.monitoring.documents import ConnInfo, Connz, SubDetail, Varz
from natsctl.monitoring.recording import Recorder
from natsctl.monitoring.replay import Player
from natsctl.monitoring.snapshot import Query, Reading, Snapshot, Tracker
from natsctl.monitoring.times import NS, format_time, format_uptime, parse_time
from natsctl.ops.watch import Watch
from natsctl.tui.app import TopApp
from natsctl.tui.board import Board

__all__ = ["EPOCH_NS", "URL", "FakeServer", "FakeSource", "make_app", "recorded"]

URL = "http://127.0.0.1:8222"
EPOCH_NS = parse_time("2026-03-01T03:00:00Z")
STARTED_NS = EPOCH_NS - 93784 * NS

NAMES = ("orders-svc", "payments-svc", "billing", "", "audit", "geo-cache", "rides-manager", "driver-agent")
LANGS = (("go", "1.39.0"), ("python3", "2.16.0"), ("rust", "0.38.0"), ("nats.js", "3.0.1"))


class FakeServer:
    """A server whose counters grow evenly, read once a second.

    Attributes:
        snapshots: What came of the readings so far.
    """

    def __init__(self, url: str = URL, name: str = "nats-1", connections: int = 8) -> None:
        self.url = url
        self.name = name
        self.n_connections = connections
        self.slow_consumers = 0
        self.snapshots: list[Snapshot] = []
        self._tracker = Tracker()
        self._life = 0
        self._ticks = 0
        self._age = 0

    def read(self, count: int = 1) -> FakeServer:
        """Read it some times, a second apart."""
        for _ in range(count):
            self._tick()
            self._take(self._reading(varz=self._varz(), connz=self._connz()))
        return self

    def fail(self, error: str, hint: str = "", count: int = 1) -> FakeServer:
        """Fail to read it some times."""
        for _ in range(count):
            self._tick()
            reading = self._reading()
            reading.error, reading.hint = error, hint
            self._take(reading)
        return self

    def restart(self) -> FakeServer:
        """Begin a new life, with counters at 0."""
        self._life += 1
        self._age = 0
        return self

    def _tick(self) -> None:
        self._ticks += 1
        self._age += 1

    def _take(self, reading: Reading) -> None:
        self.snapshots.append(self._tracker.update(reading))

    @property
    def _now_ns(self) -> int:
        return EPOCH_NS + self._ticks * NS

    @property
    def _start_ns(self) -> int:
        return STARTED_NS if not self._life else self._now_ns - self._age * NS

    def _reading(self, varz: Varz | None = None, connz: Connz | None = None) -> Reading:
        mono = float(self._ticks)
        return Reading(
            taken_at_ns=self._now_ns,
            server=self.url,
            asked_mono=mono - 0.01,
            taken_mono=mono,
            varz=varz,
            connz=connz,
        )

    def _varz(self) -> Varz:
        n_conns, age = self.n_connections, self._age
        return Varz(
            server_id=f"N{'ABCDEFGH'[self._life]}{self.name.upper().replace('-', '')}7Q4QTDXWHJ2KZ3TGYPLM5RQVS6",
            server_name=self.name,
            version="2.15.1",
            host="0.0.0.0",
            port=4222,
            start=format_time(self._start_ns),
            now=format_time(self._now_ns),
            uptime=format_uptime((self._now_ns - self._start_ns) / NS),
            mem=14_987_264,
            cpu=3.25,
            max_connections=65_536,
            max_pending=64 * 1024 * 1024,
            max_payload=1024 * 1024,
            connections=n_conns,
            total_connections=n_conns + 5,
            subscriptions=3 * n_conns,
            slow_consumers=self.slow_consumers,
            in_msgs=1_234 * age + 17 * age * age,
            out_msgs=5_678 * age + 31 * age * age,
            in_bytes=123_456 * age + 900 * age * age,
            out_bytes=1_567_890 * age + 4000 * age * age,
        )

    def _connz(self) -> Connz:
        conns = [self._conn(cid) for cid in range(1, self.n_connections + 1)]
        return Connz(
            server_id="N",
            now=format_time(self._now_ns),
            num_connections=len(conns),
            total=len(conns),
            limit=1024,
            connections=conns,
        )

    def _conn(self, cid: int) -> ConnInfo:
        lang, version = LANGS[cid % len(LANGS)]
        age = self._age
        return ConnInfo(
            cid=cid,
            kind="Client",
            type="nats",
            ip=f"10.0.{cid // 200}.{cid % 200 + 1}",
            port=40_000 + cid * 7 % 20_000,
            start=format_time(self._start_ns + cid * NS),
            last_activity=format_time(self._now_ns - cid % 7 * NS),
            rtt=f"{cid * 137 % 900 + 80}µs",
            uptime=format_uptime((self._now_ns - self._start_ns) / NS + 3600 - cid % 3600),
            idle=format_uptime(cid % 7),
            pending_bytes=cid**5 * 1500 % (48 * 1024 * 1024) if cid % 3 == 0 else 0,
            in_msgs=cid * 31 * age,
            out_msgs=cid * 13 % 97 * 211 * age,
            in_bytes=cid * 31 * 128 * age,
            out_bytes=cid * 13 % 97 * 211 * 256 * age,
            subscriptions=cid % 5,
            name=NAMES[cid % len(NAMES)],
            lang=lang,
            version=version,
            authorized_user="acme" if cid % 2 else "ops",
            account="$G",
            subscriptions_list_detail=[
                SubDetail(subject=f"rides.{cid}.{number}", sid=str(number), cid=cid, msgs=cid * number * age)
                for number in range(cid % 5)
            ],
        )


class FakeSource:
    """Plays snapshots at once, and more when a test has them.

    Attributes:
        asked: The last query for each server.
        is_closed: Whether it was closed.
    """

    def __init__(self, snapshots: Iterable[Snapshot] = (), missing: Iterable[Peer] = ()) -> None:
        self._queue: asyncio.Queue[Snapshot | None] = asyncio.Queue()
        self._servers: dict[str, None] = {}
        self.missing = list(missing)
        self.player: Player | None = None
        self.asked: dict[str, Query] = {}
        self.is_closed = False
        for snapshot in snapshots:
            self.play(snapshot)

    @property
    def servers(self) -> list[str]:
        return list(self._servers)

    def play(self, snapshot: Snapshot) -> None:
        """Let one more snapshot come."""
        self._servers[snapshot.server] = None
        self._queue.put_nowait(snapshot)

    def end(self) -> None:
        """Let it be over after the snapshots before."""
        self._queue.put_nowait(None)

    async def snapshots(self) -> AsyncIterator[Snapshot]:
        while (snapshot := await self._queue.get()) is not None:
            yield snapshot

    async def set_query(self, server: str, query: Query) -> None:
        self.asked[server] = query

    async def close(self) -> None:
        self.is_closed = True


def recorded(server: FakeServer, path: Path) -> Path:
    """A recording of all that was read of a server."""
    with Recorder(path) as recorder:
        for snapshot in server.snapshots:
            recorder.write(
                Reading(
                    taken_at_ns=snapshot.taken_at_ns,
                    server=snapshot.server,
                    asked_mono=snapshot.taken_mono,
                    taken_mono=snapshot.taken_mono,
                    varz=snapshot.varz,
                    connz=snapshot.connz,
                )
            )
    return path


def make_app(
    *servers: FakeServer,
    change: Callable[[Board], None] = lambda board: None,
    theme: str = "",
    clock: Callable[[], float] = lambda: 0.0,
) -> TopApp:
    """The dashboard, with all that was read of these servers already taken in.

    Args:
        servers: The servers.
        change: Prepares the board.
        theme: The theme to begin with; the first one when "".
        clock: A monotonic clock.
    """
    source = FakeSource(snapshot for server in servers for snapshot in server.snapshots)
    board = Board(Watch(servers=tuple(server.url for server in servers)), source, clock=clock)
    change(board)
    app = TopApp(board)
    if theme:
        app.theme = theme
    return app
