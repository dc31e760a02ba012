"""What an engine counts for monitoring."""

from __future__ import annotations

import pytest

from natsctl.engine.api import SublistStats
from natsctl.engine.sublist import Sublist
from natsctl.errors import ClosedReason
from tests.support.rig import MakeRig, Rig


class Entry:
    weight = 0

    def __init__(self, subject: bytes) -> None:
        self.subject = subject
        self.queue = None


def test_a_sublist_counts_changes_matches_and_hits() -> None:
    sublist: Sublist[Entry] = Sublist()
    entries = [Entry(subject) for subject in (b"a.*", b"a.b", b"c")]
    for entry in entries:
        sublist.insert(entry)
    sublist.remove(entries[2])
    for subject in (b"a.b", b"a.b", b"a.x", b"nobody"):
        sublist.match(subject)
    assert sublist.stats() == SublistStats(
        n_subscriptions=2,
        n_cache=3,
        n_inserts=3,
        n_removes=1,
        n_matches=4,
        n_hits=1,
        max_fanout=2,
        total_fanout=3,
    )


def test_statistics_of_several_sublists_add_up_but_for_the_widest() -> None:
    joined = SublistStats(1, 2, 3, 4, 5, 6, 7, 8).joined(SublistStats(10, 20, 30, 40, 50, 60, 2, 80))
    assert joined == SublistStats(11, 22, 33, 44, 55, 66, 7, 88)


def test_a_closed_session_still_shows_what_it_had_subscribed(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.client()
    client.send(b"SUB foo 1\r\nSUB bar q 2\r\nPUB foo 2\r\nhi\r\n")
    client.session.close(ClosedReason.CLIENT_CLOSED)
    seen = [(view.subject, view.queue, view.sid, view.delivered) for view in client.session.subscriptions()]
    assert seen == [(b"foo", None, b"1", 1), (b"bar", b"q", b"2", 0)]
    assert client.session.n_subscriptions == 2
    assert rig.engine.n_subscriptions() == 0


def test_the_brokers_own_sessions_are_known(rig: Rig) -> None:
    rig.engine.open_internal("A").subscribe(b"service.a")
    rig.engine.open_internal("B").subscribe(b"service.b", b"q")
    shown = [
        (session.account, view.subject, view.queue, view.sid)
        for session in rig.engine.internal_sessions()
        for view in session.subscriptions()
    ]
    assert shown == [("A", b"service.a", None, b"1"), ("B", b"service.b", b"q", b"1")]


@pytest.mark.parametrize("account", [None, "$G"])
def test_an_engine_tells_its_sublists(account: str | None, rig: Rig) -> None:
    rig.client().send(b"SUB foo 1\r\nPUB foo 0\r\n\r\nPUB foo 0\r\n\r\n")
    stats = rig.engine.sublist_stats(account)
    assert (stats.n_subscriptions, stats.n_matches, stats.n_hits, stats.max_fanout) == (1, 2, 1, 1)


def test_an_account_that_does_not_exist_has_no_sublist(rig: Rig) -> None:
    rig.client().send(b"SUB foo 1\r\n")
    assert rig.engine.sublist_stats("nobody's") == SublistStats()
