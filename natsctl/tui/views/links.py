"""The links of a server to others: routes within its cluster, leafnodes, and the servers that should be there.

Pooled routes carry several connections to the same peer; they are one link here. A peer that was linked and is no more
stays in the list, as missing, and so does a watched server of the same cluster to which there is no route.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from natsctl.monitoring.cluster import MAX_SERVERS
from natsctl.monitoring.diagnosis import printable
from natsctl.monitoring.documents import LeafInfo, RouteInfo
from natsctl.monitoring.rates import Baselines, Rates
from natsctl.monitoring.snapshot import Snapshot
from natsctl.monitoring.times import parse_rtt, parse_time
from natsctl.tui.views.client import address
from natsctl.tui.views.server import server_names

__all__ = ["Link", "Links", "Traffic"]


class Traffic(NamedTuple):
    """What went over a link: in, from the other server, and out, to it."""

    in_msgs: int
    out_msgs: int
    in_bytes: int
    out_bytes: int


NO_TRAFFIC = Traffic(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Link:
    """A link to one other server.

    Attributes:
        server: What the server is called whose link it is.
        kind: ``route``, ``hub`` or ``spoke``: what the other server is.
        name: Its name, or its id where it has none.
        server_id: Its id, "" for leafnodes.
        where: Its address.
        connections: How many connections make up the link; 0 when it is missing.
        direction: Who connected: ``out`` this server, ``in`` the other, ``both``; "" where that is not told.
        rates: How fast it is; None until measured.
        about: The account of a leafnode, the compression, or why the link is missing.

    Units: ``rtt_s`` is that of the slowest connection, in seconds.
    """

    server: str
    kind: str
    name: str
    server_id: str = ""
    where: str = ""
    connections: int = 0
    direction: str = ""
    subscriptions: int = 0
    pending_bytes: int = 0
    rtt_s: float | None = None
    traffic: Traffic = NO_TRAFFIC
    rates: Rates | None = None
    about: str = ""

    @property
    def is_missing(self) -> bool:
        """Whether there should be a link, and is none."""
        return self.connections == 0

    @property
    def haystack(self) -> str:
        """Where a search looks, in lower case."""
        return "\n".join((self.server, self.kind, self.name, self.server_id, self.where, self.about)).lower()


class _Known(NamedTuple):
    """What is remembered of a peer: its name, and when it was seen first."""

    name: str
    since_ns: int


class Links:
    """The links of one server over time: remembers counters for rates, and peers to miss them."""

    def __init__(self) -> None:
        self._seen: Baselines[tuple[str, int]] = Baselines()
        self._known: dict[str, _Known] = {}

    def update(self, snapshot: Snapshot, others: Iterable[Snapshot] = ()) -> list[Link]:
        """Take in a snapshot.

        Args:
            snapshot: The server whose links are asked for.
            others: Snapshots of the other servers that are watched.

        Returns:
            Routes by the name of the peer, those missing first, then leafnodes.
        """
        others = [*others]
        here = server_names([snapshot, *others])[snapshot.server]
        routes = self._routes(snapshot, here)
        linked = {link.server_id: link.name for link in routes}
        missing = self._missing(snapshot, here, linked, others) if snapshot.routez is not None else []
        for peer, name in linked.items():
            before = self._known.get(peer)
            if before or len(self._known) < MAX_SERVERS:
                since_ns = min(before.since_ns, snapshot.taken_at_ns) if before else snapshot.taken_at_ns
                self._known[peer] = _Known(name, since_ns)
        return [*missing, *routes, *self._leafs(snapshot, here)]

    def _missing(self, snapshot: Snapshot, here: str, linked: dict[str, str], others: Iterable[Snapshot]) -> list[Link]:
        own_id = snapshot.varz.server_id if snapshot.varz else ""
        missing = {
            peer: (known.name, "was linked before")
            for peer, known in self._known.items()
            # When the user goes back in time, a peer that joined later is not missing yet.
            if peer not in linked and known.since_ns <= snapshot.taken_at_ns
        }
        for other in others:
            if _same_cluster(snapshot, other) and other.varz and other.varz.server_id not in linked:
                name = printable(other.varz.server_name)
                missing[other.varz.server_id] = (name, f"is watched at {other.server}, but not linked")
        # A peer that came back after a restart has another id, and the same name.
        present = set(linked.values())
        return [
            Link(here, "route", name or peer, peer, about=about)
            for peer, (name, about) in sorted(missing.items(), key=lambda item: item[1])
            if peer != own_id and name not in present
        ]

    def _routes(self, snapshot: Snapshot, here: str) -> list[Link]:
        if snapshot.routez is None:
            return []
        now = snapshot.routez.now or (snapshot.varz.now if snapshot.varz else "")
        conns = sorted(
            snapshot.routez.routes, key=lambda route: (route.remote_name or route.remote_id, route.remote_id)
        )
        return [self._route(here, list(pool), now) for _, pool in groupby(conns, key=lambda route: route.remote_id)]

    def _route(self, here: str, pool: list[RouteInfo], now: str) -> Link:
        first = pool[0]
        rates = [self._rates(("route", route.rid), route.start, now, _traffic(route)) for route in pool]
        compressions = {route.compression for route in pool if route.compression not in ("", "off", "not supported")}
        return Link(
            here,
            "route",
            printable(first.remote_name or first.remote_id),
            first.remote_id,
            where=address(first.ip, first.port),
            connections=len(pool),
            direction=_direction({route.did_solicit for route in pool}),
            subscriptions=sum(route.subscriptions for route in pool),
            pending_bytes=sum(route.pending_size for route in pool),
            rtt_s=max((rtt for route in pool if (rtt := parse_rtt(route.rtt)) is not None), default=None),
            traffic=_traffic(*pool),
            rates=_added(rates),
            about=printable(", ".join(sorted(compressions))),
        )

    def _leafs(self, snapshot: Snapshot, here: str) -> list[Link]:
        if snapshot.leafz is None:
            return []
        now = snapshot.leafz.now or (snapshot.varz.now if snapshot.varz else "")
        return [
            Link(
                here,
                # is_spoke tells what this server is on that connection.
                "hub" if leaf.is_spoke else "spoke",
                printable(leaf.name) or address(leaf.ip, leaf.port),
                where=address(leaf.ip, leaf.port),
                connections=1,
                subscriptions=leaf.subscriptions,
                rtt_s=parse_rtt(leaf.rtt),
                traffic=_traffic(leaf),
                rates=self._rates(("leaf", leaf.id), leaf.name, now, _traffic(leaf)),
                about=printable(f"account {leaf.account}" if leaf.account else ""),
            )
            for leaf in sorted(snapshot.leafz.leafs, key=lambda leaf: (leaf.name, leaf.id))
        ]

    def _rates(self, key: tuple[str, int], identity: str, now: str, counters: Traffic) -> Rates | None:
        try:
            measured = self._seen.measure(key, identity, parse_time(now), counters)
        except ValueError:
            return None
        return Rates(*measured) if measured else None


def _same_cluster(here: Snapshot, there: Snapshot) -> bool:
    """Whether two servers are watched that say they are of the same cluster."""
    return bool(
        here.varz and there.varz and here.varz.cluster.name and here.varz.cluster.name == there.varz.cluster.name
    )


def _direction(solicited: set[bool]) -> str:
    return "both" if len(solicited) > 1 else "out" if solicited == {True} else "in"


def _traffic(*conns: RouteInfo | LeafInfo) -> Traffic:
    return Traffic(
        sum(conn.in_msgs for conn in conns),
        sum(conn.out_msgs for conn in conns),
        sum(conn.in_bytes for conn in conns),
        sum(conn.out_bytes for conn in conns),
    )


def _added(rates: list[Rates | None]) -> Rates | None:
    known = [rate for rate in rates if rate is not None]
    if not known:
        return None
    return Rates(
        sum(rate.in_msgs_per_s for rate in known),
        sum(rate.out_msgs_per_s for rate in known),
        sum(rate.in_bytes_per_s for rate in known),
        sum(rate.out_bytes_per_s for rate in known),
        max(rate.interval_s for rate in known),
    )
