"""``/subsz``: what the sublists hold, and who is subscribed.

Source: nats-server ``monitor.go`` (HandleSubsz, Subsz).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

from natsctl.broker.monitor.query import BadQueryError, Query
from natsctl.broker.monitor.source import Source, whole_or_float
from natsctl.broker.monitor.subscription import describe
from natsctl.broker.monitor.turns import Turns
from natsctl.engine import api
from natsctl.engine.api import InternalSession, Session, SubscriptionView
from natsctl.monitoring.documents import SubDetail, SublistStats, Subsz
from natsctl.protocol import subject as subjects

__all__ = ["SubszPage", "describe_sublist", "subsz"]

_INTERNAL_CID = 3
"""nats-server's services for accounts are its client 3."""
_SEEN_PER_TURN = 2048
"""Subscriptions looked at in one go."""
_SESSION_WEIGHT = 8
"""What a session costs by itself, in subscriptions."""


class SubszPage(NamedTuple):
    """What ``/subsz`` answers."""

    document: Subsz
    """Without its subscriptions."""
    rows: Iterator[SubDetail]


class _Found(NamedTuple):
    view: SubscriptionView
    cid: int
    account: str


async def subsz(source: Source, query: Query, turns: Turns) -> SubszPage:
    """Choose the subscriptions that a request asks for.

    Raises:
        BadQueryError: A parameter that cannot be meant.
    """
    wants_list = query.boolean("subs")
    offset, limit = query.offset(), query.limit()
    test, account = query.text("test"), query.text("acc")
    subject = test.encode("utf-8", "surrogateescape")
    if test and not subjects.is_valid_literal(subject):
        raise BadQueryError(f"invalid test subject, must be valid publish subject: {test}")
    document = Subsz(server_id=source.server_id, now=source.now(), offset=offset, limit=limit)
    stats = describe_sublist(source.broker.engine.sublist_stats(account or None))
    for name in stats.__struct_fields__:
        setattr(document, name, getattr(stats, name))
    page: list[_Found] = []
    if wants_list:
        async for found in _matching(source, account, subject, turns):
            if offset <= document.total < offset + limit:
                page.append(found)
            document.total += 1
    return SubszPage(document, (describe(found.view, found.cid, found.account) for found in page))


async def _matching(source: Source, account: str, subject: bytes, turns: Turns) -> AsyncIterator[_Found]:
    """Find the subscriptions of clients and then the broker's own, in one account or all, for a subject or any."""
    n_seen = 0
    for cid, session in _sessions(source):
        name = session.account
        if account and name != account:
            continue
        # The views of one session are taken at once: it may change while others have their turn.
        views = tuple(session.subscriptions())
        n_seen += len(views) + _SESSION_WEIGHT
        if n_seen > _SEEN_PER_TURN:
            n_seen = 0
            await turns.take()
        for view in views:
            if not subject or subjects.covers(view.subject, subject):
                yield _Found(view, cid, name)


def _sessions(source: Source) -> list[tuple[int, Session | InternalSession]]:
    broker = source.broker
    clients = [(connection.cid, connection.session) for connection in broker.registry]
    return [*clients, *((_INTERNAL_CID, session) for session in broker.engine.internal_sessions())]


def describe_sublist(stats: api.SublistStats) -> SublistStats:
    """Write the engine's statistics as nats-server does."""
    return SublistStats(
        num_subscriptions=stats.n_subscriptions,
        num_cache=stats.n_cache,
        num_inserts=stats.n_inserts,
        num_removes=stats.n_removes,
        num_matches=stats.n_matches,
        cache_hit_rate=whole_or_float(stats.n_hits / max(stats.n_matches, 1)),
        max_fanout=stats.max_fanout,
        avg_fanout=whole_or_float(stats.total_fanout / max(stats.n_cache, 1)),
    )
