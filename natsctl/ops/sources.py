"""Where snapshots come from: servers that are polled now, or a recording that is played."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress

from natsctl.errors import NatsctlError
from natsctl.monitoring.cluster import Peer, find_peers
from natsctl.monitoring.poller import Poller
from natsctl.monitoring.reader import Reader
from natsctl.monitoring.recording import Recorder
from natsctl.monitoring.replay import Player, Recording
from natsctl.monitoring.snapshot import Query, Snapshot
from natsctl.ops.watch import Source, Watch

__all__ = ["LiveSource", "ReplaySource", "open_source"]

DISCOVERY_S = 30.0
"""How often a cluster is asked for servers that joined it."""


def open_source(watch: Watch) -> Source:
    """Make ready what is needed to watch; nothing is asked yet.

    Raises:
        UsageError: A certificate or recording cannot be opened.
    """
    return ReplaySource(watch) if watch.replay else LiveSource(watch)


class LiveSource:
    """Polls servers, each at its own pace and for what it is to be asked for."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._pollers: dict[str, Poller] = {}
        self._readers: list[Reader] = [self._reader(url) for url in dict.fromkeys(watch.servers)]
        self._recorder = Recorder(watch.record, keep_s=watch.keep_s) if watch.record else None
        self._missing: list[Peer] = []
        self._latest: dict[str, Snapshot] = {}
        self._arrived = asyncio.Event()
        self._polling: asyncio.Task[None] | None = None
        for reader in self._readers:
            self._add(reader)

    @property
    def servers(self) -> list[str]:
        """The base URLs of the servers; those of a cluster join when they are found."""
        return list(self._pollers)

    @property
    def missing(self) -> list[Peer]:
        """Servers of the cluster whose monitoring was not found, with the reason."""
        return self._missing

    @property
    def player(self) -> None:
        """What happens now cannot be played."""
        return None

    async def snapshots(self) -> AsyncIterator[Snapshot]:
        """Poll, and iterate over the snapshots; see :meth:`Source.snapshots`."""
        self._polling = asyncio.create_task(self._poll_all(), name="watch servers")
        self._polling.add_done_callback(lambda _: self._arrived.set())
        refreshes = _Refreshes(self._watch)
        try:
            while not self._polling.done():
                await self._arrived.wait()
                self._arrived.clear()
                while self._latest:
                    snapshot = self._latest.pop(next(iter(self._latest)))
                    if refreshes.count(snapshot):
                        yield snapshot
                        if refreshes.are_over(self.servers):
                            return
            self._polling.result()
        finally:
            await self._stop()

    async def set_query(self, server: str, query: Query) -> None:
        """Ask a server for something else from now on, and at once."""
        poller = self._pollers[server]
        if poller.query != query:
            poller.query = query
            poller.wake()

    async def close(self) -> None:
        """End the polling, finish the recording, close the connections."""
        try:
            await self._stop()
        finally:
            if self._recorder:
                self._recorder.close()
            for reader in self._readers:
                await reader.aclose()

    def _reader(self, url: str) -> Reader:
        return Reader(url, tls=self._watch.tls, timeout_s=self._watch.timeout_s)

    def _add(self, reader: Reader) -> Poller:
        record = self._recorder.write if self._recorder else None
        poller = Poller([reader], interval_s=self._watch.interval_s, query=self._watch.query, record=record)
        self._pollers[reader.url] = poller
        return poller

    def _show(self, snapshot: Snapshot) -> None:
        self._latest[snapshot.server] = snapshot
        self._arrived.set()

    async def _poll_all(self) -> None:
        if self._watch.cluster and self._watch.refreshes is not None:
            await self._find_peers()  # what is to be counted must be known first
        try:
            async with asyncio.TaskGroup() as tasks:
                for poller in self._pollers.values():
                    tasks.create_task(poller.run(self._show))
                if self._watch.cluster:
                    tasks.create_task(self._discover(tasks))
        except ExceptionGroup as group:  # a recording that cannot be written
            raise group.exceptions[0] from None

    async def _discover(self, tasks: asyncio.TaskGroup) -> None:
        """Look for servers that join the cluster, as long as there are tasks to poll them."""
        while True:
            for poller in await self._find_peers():
                tasks.create_task(poller.run(self._show))
            await asyncio.sleep(DISCOVERY_S)

    async def _find_peers(self) -> list[Poller]:
        """Ask the servers in turn for the others until one answers; gives pollers for those that are new."""
        known = {await _server_id(reader) for reader in self._readers}
        for seed in list(self._readers):
            try:
                peers = [peer for peer in await find_peers(seed, self._reader) if peer.server_id not in known]
            except NatsctlError:
                continue  # its own snapshots tell what is wrong
            self._missing = [peer for peer in peers if peer.error]
            found = [self._reader(peer.url) for peer in peers if not peer.error and peer.url not in self._pollers]
            self._readers += found
            return [self._add(reader) for reader in found]
        return []

    async def _stop(self) -> None:
        if self._polling:
            self._polling.cancel()
            with suppress(asyncio.CancelledError, NatsctlError):
                await self._polling
            self._polling = None


class ReplaySource:
    """Plays a recording."""

    def __init__(self, watch: Watch) -> None:
        assert watch.replay
        self._watch = watch
        self._player = Player(Recording(watch.replay), speed=watch.speed)

    @property
    def servers(self) -> list[str]:
        """The base URLs of the servers that were recorded."""
        return self._player.recording.servers

    @property
    def missing(self) -> list[Peer]:
        """A recording tells nothing of servers that were not found."""
        return []

    @property
    def player(self) -> Player:
        """Pauses, seeks and changes the speed."""
        return self._player

    async def snapshots(self) -> AsyncIterator[Snapshot]:
        """Play from where the player stands; see :meth:`Source.snapshots`."""
        refreshes = _Refreshes(self._watch)
        async for snapshot in self._player.snapshots():
            if refreshes.count(snapshot):
                yield snapshot
                if refreshes.are_over(self.servers):
                    return

    async def set_query(self, server: str, query: Query) -> None:
        """Change nothing: a recording holds what was asked for then."""

    async def close(self) -> None:
        """Nothing is open between two readings."""


async def _server_id(reader: Reader) -> str:
    try:
        return (await reader.varz()).server_id
    except NatsctlError:
        return ""


class _Refreshes:
    """Counts what is shown of each server until it is as much as was asked for."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._begun: set[str] = set()
        self._shown: Counter[str] = Counter()

    def count(self, snapshot: Snapshot) -> bool:
        """Count a snapshot, if it is to be shown."""
        is_first = snapshot.server not in self._begun
        self._begun.add(snapshot.server)
        if is_first and self._watch.with_rates and not snapshot.error:
            return False
        self._shown[snapshot.server] += 1
        return True

    def are_over(self, servers: list[str]) -> bool:
        limit = self._watch.refreshes
        return limit is not None and all(self._shown[server] >= limit for server in servers)
