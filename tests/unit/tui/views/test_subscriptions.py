"""Subscriptions of all clients, and who would receive a message."""

from __future__ import annotations

import pytest

from natsctl.monitoring.documents import ClusterOptsVarz, ConnInfo, Connz, SubDetail, Subsz, Varz
from natsctl.monitoring.snapshot import Snapshot
from natsctl.tui.views.search import matching
from natsctl.tui.views.subscriptions import queue_groups, receivers, subject_problem, subscriptions


def sub(cid: int, sid: str, subject: str, *, queue: str = "", msgs: int = 0) -> SubDetail:
    return SubDetail(cid=cid, sid=sid, subject=subject, qgroup=queue, msgs=msgs)


def snapshot(
    *details: SubDetail, tested: list[SubDetail] | None = None, total: int | None = None, varz: Varz | None = None
) -> Snapshot:
    conns = [
        ConnInfo(cid=cid, name=f"client {cid}", subscriptions_list_detail=[one for one in details if one.cid == cid])
        for cid in (1, 2)
    ]
    answer = None if tested is None else Subsz(subscriptions_list=tested, total=len(tested) if total is None else total)
    return Snapshot(
        server="http://a:8222",
        taken_at_ns=0,
        taken_mono=0.0,
        took_s=0.0,
        varz=varz or Varz(),
        connz=Connz(connections=conns),
        subsz=answer,
        subscription_rates={(1, "1"): 2.5},
    )


def test_each_subscription_has_the_name_of_its_client_and_its_rate() -> None:
    found = subscriptions(snapshot(sub(1, "1", "orders.>", msgs=7), sub(2, "9", "audit")))
    assert [(one.client, one.subject, one.msgs, one.msgs_per_s) for one in found] == [
        ("client 1", "orders.>", 7, 2.5),
        ("client 2", "audit", 0, None),
    ]


def test_without_connections_there_are_no_subscriptions() -> None:
    assert subscriptions(Snapshot(server="", taken_at_ns=0, taken_mono=0.0, took_s=0.0)) == []


def test_a_search_looks_at_subject_queue_group_and_client() -> None:
    found = subscriptions(snapshot(sub(1, "1", "Orders.new", queue="Workers"), sub(2, "1", "audit")))
    for needle in ("orders", "workers", "client 1", "1 new client"):
        assert [one.subject for one in matching(found, needle)] == ["Orders.new"]
    assert matching(found, "audit client 1") == []
    assert matching(found, " ") == found


def test_a_queue_group_is_one_name_on_one_subject_with_the_busiest_member_first() -> None:
    groups = queue_groups(
        subscriptions(
            snapshot(
                sub(1, "1", "jobs", queue="q", msgs=1),
                sub(2, "1", "jobs", queue="q", msgs=5),
                sub(2, "2", "mail", queue="q"),
                sub(2, "3", "jobs"),
            )
        )
    )
    assert [(group.subject, [member.cid for member in group.members], group.msgs) for group in groups] == [
        ("jobs", [2, 1], 6),
        ("mail", [2], 0),
    ]


@pytest.mark.parametrize("subject", ["orders", "a.b.c", "a*b", "Ω.x", "$SYS.REQ"])
def test_a_message_can_go_to_any_literal_subject(subject: str) -> None:
    assert subject_problem(subject) == ""


@pytest.mark.parametrize(
    ("subject", "problem"),
    [
        ("", "no subject"),
        ("a b", "blanks"),
        ("a\x1b", "control"),
        ("a.*", "wildcards"),
        (">", "wildcards"),
        ("a..b", "single dots"),
        (".a", "single dots"),
        ("a.", "single dots"),
    ],
)
def test_what_is_wrong_with_a_subject_is_said(subject: str, problem: str) -> None:
    assert problem in subject_problem(subject)


def test_an_invalid_subject_is_no_question_for_a_server() -> None:
    answer = receivers("a..b", [snapshot(tested=[])])
    assert not answer.is_answer
    assert answer.verdict.startswith('"a..b" is no subject for a message')


def test_without_any_answer_there_is_no_verdict() -> None:
    answer = receivers("a", [], n_silent=2)
    assert not answer.is_answer
    assert answer.verdict.startswith("asking")


def test_servers_that_have_not_answered_are_counted() -> None:
    answer = receivers("a", [snapshot(tested=[])], n_silent=1)
    assert answer.verdict == 'nobody is listening to "a"; no answer from 1 server'


def test_receivers_are_plain_subscriptions_and_one_member_of_each_queue_group() -> None:
    tested = [sub(2, "1", "a.*"), sub(1, "2", "a.b", queue="q"), sub(2, "3", "a.b", queue="q"), sub(9, "1", ">")]
    answer = receivers("a.b", [snapshot(tested=tested)])
    assert answer.verdict == '"a.b" reaches 2 subscriptions and one member each of 1 queue group'
    assert [one.client for one in answer.plain] == ["client 2", "(server)"]
    assert [len(group.members) for group in answer.groups] == [2]


def test_that_nobody_listens_is_said_clearly() -> None:
    answer = receivers("a.b", [snapshot(tested=[])])
    assert answer.is_answer
    assert answer.verdict == 'nobody is listening to "a.b"'


def test_the_answer_to_an_earlier_question_does_not_count() -> None:
    assert receivers("a.b", [snapshot(tested=[sub(1, "1", "other")])]).verdict.startswith("nobody")


def test_links_to_other_servers_and_what_is_not_listed_are_mentioned() -> None:
    answer = receivers("a", [snapshot(tested=[sub(1, "1", "a")], total=4, varz=Varz(routes=8, remotes=2, leafnodes=1))])
    assert answer.verdict == (
        '"a" reaches 1 subscription, and 3 more that are not listed; 3 linked servers may have more'
    )


def test_servers_of_the_cluster_that_were_asked_too_are_not_beyond() -> None:
    asked = [snapshot(tested=[], varz=Varz(remotes=2, cluster=ClusterOptsVarz(name="c"))) for _ in range(2)]
    assert receivers("a", asked).verdict == 'nobody is listening to "a"; 1 linked server may have more'
