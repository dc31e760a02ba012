"""The document of ``/subsz`` (also ``/subscriptionsz``): the sublist, and on request who is subscribed.

Source: nats-server 2.15 ``Subsz``, ``SublistStats``, ``SubDetail``.
"""

from __future__ import annotations

from natsctl.monitoring.documents.fields import Document, Int, Number, always, if_any

__all__ = ["SubDetail", "SublistStats", "Subsz"]


class SubDetail(Document):
    """One subscription.

    Units: ``msgs`` counts deliveries; ``max`` is the number after which it ends, 0 for never.
    """

    account: str = ""
    account_tag: str = ""
    subject: str = always(str)
    qgroup: str = ""
    sid: str = always(str)
    msgs: Int = always(int)
    max: Int = 0
    cid: Int = always(int)


class SublistStats(Document):
    """What a sublist holds and how well its cache works.

    Units: ``cache_hit_rate`` from 0 to 1; fan-out counts subscriptions per match.
    """

    num_subscriptions: Int = always(int)
    num_cache: Int = always(int)
    num_inserts: Int = always(int)
    num_removes: Int = always(int)
    num_matches: Int = always(int)
    cache_hit_rate: Number = always(int)
    max_fanout: Int = always(int)
    avg_fanout: Number = always(int)


class Subsz(Document):
    """The sublists of all accounts, or of one; ``total`` counts the subscriptions listed here."""

    server_id: str = always(str)
    now: str = always(str)
    num_subscriptions: Int = always(int)
    num_cache: Int = always(int)
    num_inserts: Int = always(int)
    num_removes: Int = always(int)
    num_matches: Int = always(int)
    cache_hit_rate: Number = always(int)
    max_fanout: Int = always(int)
    avg_fanout: Number = always(int)
    total: Int = always(int)
    offset: Int = always(int)
    limit: Int = always(int)
    subscriptions_list: list[SubDetail] = if_any(list)
