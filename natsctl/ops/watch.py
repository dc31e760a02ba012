"""What to watch and how, and what gives the snapshots; :mod:`natsctl.ops.sources` has those that do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from natsctl.monitoring.cluster import Peer
from natsctl.monitoring.reader import TLSFiles
from natsctl.monitoring.replay import Player
from natsctl.monitoring.snapshot import Query, Snapshot

__all__ = ["Source", "Watch"]


@dataclass(frozen=True, slots=True)
class Watch:
    """What to watch, and how it is shown at first.

    Attributes:
        servers: Base URLs of monitoring ports, see :func:`~natsctl.monitoring.address.monitoring_url`; none for a
            replay.
        interval_s: Seconds from poll to poll.
        limit: How many connections to ask for.
        sort: The server's sort option: which connections those are.
        lookup: Show host names in place of addresses.
        raw: Show plain numbers in place of ``1.5K``.
        subscriptions: Show the subjects each connection is subscribed to.
        tls: Certificates, for servers on HTTPS.
        timeout_s: How long an answer may take.
        cluster: Watch also the servers that are found through the routes of these.
        record: Write all readings to this file.
        keep_s: Keep so many seconds of them, spread over several files; None for all, in one.
        replay: Play this recording in place of polling servers.
        speed: How many times faster than it happened.
        refreshes: End after so many snapshots of each server; None for no end.
        with_rates: Leave out the first reading of each server, which has no rates yet, unless it failed.
    """

    servers: tuple[str, ...] = ()
    interval_s: float = 1.0
    limit: int = 1024
    sort: str = "cid"
    lookup: bool = False
    raw: bool = False
    subscriptions: bool = False
    tls: TLSFiles = field(default_factory=TLSFiles)
    timeout_s: float = 10.0
    cluster: bool = False
    record: Path | None = None
    keep_s: float | None = None
    replay: Path | None = None
    speed: float = 1.0
    refreshes: int | None = None
    with_rates: bool = False

    @property
    def query(self) -> Query:
        """What the table of connections asks for."""
        return Query(limit=self.limit, sort=self.sort, subs=self.subscriptions, auth=True)


class Source(Protocol):
    """Where snapshots come from.

    Task: all methods are for callers on one event loop.
    """

    @property
    def servers(self) -> list[str]:
        """The base URLs of the servers; more may join."""

    @property
    def missing(self) -> list[Peer]:
        """Servers of the cluster whose monitoring was not found, with the reason."""

    @property
    def player(self) -> Player | None:
        """Pauses, seeks and changes the speed of a replay; None when what is shown happens now."""

    def snapshots(self) -> AsyncIterator[Snapshot]:
        """Iterate over the snapshots of all servers, to the end of the recording or of the refreshes asked for.

        One iterator at a time. While a live one is not asked, later snapshots of a server replace earlier ones. When a
        replay ended, a new iterator plays on from where the player was moved to.

        Raises:
            NatsctlError: The recording cannot be written or read. Trouble with a server is part of its snapshots.
        """

    async def set_query(self, server: str, query: Query) -> None:
        """Ask a server for something else from now on, and at once; a replay can only show what was recorded."""

    async def close(self) -> None:
        """End the polling, finish the recording, close the connections."""
