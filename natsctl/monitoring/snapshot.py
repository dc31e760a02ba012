"""What is known of one server at one moment: what was read, how fast it moves, and what is wrong.

A :class:`Reading` is the answers of one poll, a :class:`Snapshot` what a screen shows after it; a :class:`Tracker`
makes the second of the first. It does no I/O, so a recording replayed through it shows what was seen live.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from natsctl.monitoring.documents import Connz, Leafz, Routez, Subsz, Varz
from natsctl.monitoring.rates import Baselines, Rates
from natsctl.monitoring.times import NS, parse_time

__all__ = ["ConnectionKey", "Query", "Reading", "Snapshot", "SubscriptionKey", "Tracker"]

ConnectionKey = int
"""The cid: unique while a server lives, and a Tracker forgets all when it restarts."""

SubscriptionKey = tuple[int, str]
"""The cid and the sid."""

CLOCK_TOLERANCE = 0.1
CLOCK_TOLERANCE_S = 0.25


class Query(msgspec.Struct, kw_only=True, frozen=True):
    """What to ask of a server at each poll, besides ``/varz``; the parameters of ``/connz`` as the reader has them.

    Attributes:
        connections: Ask for connections at all.
        closed: Ask also for the closed connections that were there last.
        routez: Ask for the routes.
        leafz: Ask for the leafnode connections.
        subsz: Ask for the state of the sublists.
        test: Ask who would receive a message on this subject; implies ``subsz``.
    """

    connections: bool = True
    limit: int | None = 1024
    offset: int | None = None
    sort: str | None = None
    state: str | None = None
    subs: bool | Literal["detail"] = False
    auth: bool = False
    cid: int | None = None
    user: str | None = None
    acc: str | None = None
    closed: bool = False
    routez: bool = False
    leafz: bool = False
    subsz: bool = False
    test: str | None = None


class Reading(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The answers of one poll of one server, or why there are none; also a line of a recording.

    Attributes:
        taken_at_ns: When the poll ended, by the clock here, in nanoseconds since 1970.
        server: The base URL that was read.
        asked_mono: When the poll began, on the monotonic clock here.
        taken_mono: When it ended.
        error: What went wrong, or "". With ``varz`` there it concerns the other documents.
        hint: What to try.
    """

    taken_at_ns: int
    server: str
    asked_mono: float
    taken_mono: float
    error: str = ""
    hint: str = ""
    varz: Varz | None = None
    connz: Connz | None = None
    closed: Connz | None = None
    routez: Routez | None = None
    leafz: Leafz | None = None
    subsz: Subsz | None = None


class Snapshot(msgspec.Struct, kw_only=True, frozen=True):
    """One server after one poll. While polls fail, the last good documents stay, and ``age_s`` tells how old they are.

    Attributes:
        server: The base URL.
        taken_at_ns: When the poll ended, by the clock here, in nanoseconds since 1970.
        taken_mono: The same on the monotonic clock.
        took_s: How long the poll took.
        age_s: How old ``varz`` is; 0 when it came with this poll.
        error: What went wrong with this poll, or "".
        hint: What to try.
        varz: The server; None until it was read once.
        connz: Connections, if asked for.
        closed: Closed connections, if asked for.
        routez: Routes, if asked for.
        leafz: Leafnode connections, if asked for.
        subsz: Sublists and subscriptions, if asked for.
        rates: Of the whole server; None until two readings of the same life can be compared, and while polls fail.
        connection_rates: By cid; a connection seen once has none yet.
        subscription_rates: Deliveries per second by cid and sid, when subscriptions were asked for in detail.
        new_slow_consumers: How many there were since the poll before.
        restarts: How many restarts were noticed.
        restarted_at_ns: When the server started after the last of them, by its own clock; None before any.
    """

    server: str
    taken_at_ns: int
    taken_mono: float
    took_s: float
    age_s: float = 0.0
    error: str = ""
    hint: str = ""
    varz: Varz | None = None
    connz: Connz | None = None
    closed: Connz | None = None
    routez: Routez | None = None
    leafz: Leafz | None = None
    subsz: Subsz | None = None
    rates: Rates | None = None
    connection_rates: dict[ConnectionKey, Rates] = {}
    subscription_rates: dict[SubscriptionKey, float] = {}
    new_slow_consumers: int = 0
    restarts: int = 0
    restarted_at_ns: int | None = None

    @property
    def is_stale(self) -> bool:
        """Whether the documents are older than this poll."""
        return self.age_s > 0

    @property
    def restarted_s_ago(self) -> float | None:
        """Seconds since the last restart that was noticed, by the server's clock; None before any."""
        now_ns = _time_or_none(self.varz.now) if self.varz else None
        if self.restarted_at_ns is None or now_ns is None:
            return None
        return max(0.0, (now_ns - self.restarted_at_ns) / NS) + self.age_s


class Tracker:
    """Makes snapshots of the readings of one server, which must come in the order they were taken."""

    def __init__(self) -> None:
        self._good: Reading | None = None
        self._server: Baselines[str] = Baselines()
        self._connections: Baselines[ConnectionKey] = Baselines()
        self._subscriptions: Baselines[SubscriptionKey] = Baselines()
        self._restarts = 0
        self._restarted_at_ns: int | None = None

    def update(self, reading: Reading) -> Snapshot:
        """Take in a reading, and tell what is known after it."""
        before = self._good
        if reading.error and before is not None:
            reading = _completed(reading, before)
        is_good = reading.varz is not None and (before is None or reading.varz is not before.varz)
        snapshot = Snapshot(
            server=reading.server,
            taken_at_ns=reading.taken_at_ns,
            taken_mono=reading.taken_mono,
            took_s=reading.taken_mono - reading.asked_mono,
            age_s=0.0 if is_good or before is None else max(0.0, reading.taken_mono - before.taken_mono),
            error=reading.error,
            hint=reading.hint,
            varz=reading.varz,
            connz=reading.connz,
            closed=reading.closed,
            routez=reading.routez,
            leafz=reading.leafz,
            subsz=reading.subsz,
        )
        if is_good:
            self._good = reading
            snapshot = self._measured(snapshot, before, reading)
        return msgspec.structs.replace(snapshot, restarts=self._restarts, restarted_at_ns=self._restarted_at_ns)

    def _measured(self, snapshot: Snapshot, before: Reading | None, reading: Reading) -> Snapshot:
        varz = reading.varz
        assert varz is not None
        new_slow_consumers = 0
        if before is not None and before.varz is not None:
            if _is_restart(before.varz, varz):
                self._restarts += 1
                self._restarted_at_ns = _time_or_none(varz.start)
                self._forget()
            else:
                new_slow_consumers = max(0, varz.slow_consumers - before.varz.slow_consumers)
                if not _clocks_agree(before, reading):
                    self._forget()
        return msgspec.structs.replace(
            snapshot,
            rates=self._server_rates(varz),
            connection_rates=self._connection_rates(varz, reading.connz),
            subscription_rates=self._subscription_rates(varz, reading.connz, reading.subsz),
            new_slow_consumers=new_slow_consumers,
        )

    def _server_rates(self, varz: Varz) -> Rates | None:
        now_ns = _time_or_none(varz.now)
        if now_ns is None:
            return None
        counters = (varz.in_msgs, varz.out_msgs, varz.in_bytes, varz.out_bytes)
        measured = self._server.measure("", "", now_ns, counters)
        return Rates(*measured) if measured else None

    def _connection_rates(self, varz: Varz, connz: Connz | None) -> dict[ConnectionKey, Rates]:
        now_ns = _time_or_none((connz.now if connz else "") or varz.now)
        if connz is None or now_ns is None:
            return {}
        rates = {}
        for conn in connz.connections:
            counters = (conn.in_msgs, conn.out_msgs, conn.in_bytes, conn.out_bytes)
            measured = self._connections.measure(conn.cid, conn.start, now_ns, counters)
            if measured:
                rates[conn.cid] = Rates(*measured)
        self._connections.prune(now_ns)
        return rates

    def _subscription_rates(self, varz: Varz, connz: Connz | None, subsz: Subsz | None) -> dict[SubscriptionKey, float]:
        details = [sub for conn in (connz.connections if connz else ()) for sub in conn.subscriptions_list_detail]
        now_ns = _time_or_none((connz.now if details and connz else "") or (subsz.now if subsz else "") or varz.now)
        if now_ns is None:
            return {}
        rates = {}
        for sub in details or (subsz.subscriptions_list if subsz else ()):
            key = (sub.cid, sub.sid)
            measured = self._subscriptions.measure(key, sub.subject, now_ns, (sub.msgs,))
            if measured:
                rates[key] = measured[0]
        self._subscriptions.prune(now_ns)
        return rates

    def _forget(self) -> None:
        self._server.forget()
        self._connections.forget()
        self._subscriptions.forget()


def _completed(reading: Reading, before: Reading) -> Reading:
    """A reading that failed in part or altogether, with the documents read before in place of the missing ones."""
    pages = ("varz", "connz", "closed", "routez", "leafz", "subsz")
    missing = {page: getattr(before, page) for page in pages if getattr(reading, page) is None}
    return msgspec.structs.replace(reading, **missing)


def _is_restart(before: Varz, after: Varz) -> bool:
    if before.server_id != after.server_id:
        return True
    started, starts = _time_or_none(before.start), _time_or_none(after.start)
    return started is not None and starts is not None and started != starts


def _clocks_agree(before: Reading, after: Reading) -> bool:
    """Whether as much time passed there as here.

    The server took its ``now`` at some moment between question and answer; what lies outside of that is a clock that
    was set, and a rate over it would be absurd.
    """
    assert before.varz and after.varz
    then_ns, now_ns = _time_or_none(before.varz.now), _time_or_none(after.varz.now)
    if then_ns is None or now_ns is None:
        return False
    there_s = (now_ns - then_ns) / NS
    least_s = (after.asked_mono - before.taken_mono) * (1 - CLOCK_TOLERANCE) - CLOCK_TOLERANCE_S
    most_s = (after.taken_mono - before.asked_mono) * (1 + CLOCK_TOLERANCE) + CLOCK_TOLERANCE_S
    return least_s <= there_s <= most_s


def _time_or_none(text: str) -> int | None:
    try:
        return parse_time(text)
    except ValueError:
        return None
