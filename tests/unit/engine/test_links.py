"""Routes and leafnodes, at the seam: what they are told, and which messages go where."""

from __future__ import annotations

import gc
import weakref
from collections import Counter

import pytest

from natsctl.engine.api import Arrow, Link, LinkGrant, LinkInterest, LinkKind
from natsctl.engine.permissions import Permissions, Rule
from natsctl.errors import ClosedReason, WireError
from tests.support.rig import MakeRig, Rig, quiet

ROUTE, SPOKE, HUB = LinkKind.ROUTE, LinkKind.SPOKE, LinkKind.HUB
KINDS = tuple(LinkKind)
HEADERS = b"NATS/1.0\r\nA: b\r\n\r\n"


class Owner:
    """Something that can be seen to go."""


def plus(kind: LinkKind, rest: bytes) -> bytes:
    """An interest line of that kind of link."""
    return b"RS+ $G " + rest if kind is ROUTE else b"LS+ " + rest


def minus(kind: LinkKind, rest: bytes) -> bytes:
    return plus(kind, rest).replace(b"S+", b"S-")


def message(kind: LinkKind, rest: bytes) -> bytes:
    return b"RMSG $G " + rest if kind is ROUTE else b"LMSG " + rest


# ---- what a peer is told


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_link_is_told_of_all_that_clients_want(rig: Rig, kind: LinkKind) -> None:
    rig.client().send(b"SUB foo 1\r\nSUB foo 2\r\nSUB bar.* q 3\r\nSUB bar.* q 4\r\nSUB bar.* r 5\r\n")
    told = rig.link(kind).received()
    assert told == [plus(kind, b"bar.* q 2"), plus(kind, b"bar.* r 1"), plus(kind, b"foo")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_is_told_once_of_plain_interest_and_of_each_change_in_a_group(rig: Rig, kind: LinkKind) -> None:
    client, link = rig.client(), rig.link(kind)
    client.send(b"SUB foo 1\r\n")
    assert link.received() == [plus(kind, b"foo")]
    client.send(b"SUB foo 2\r\n")
    assert link.received() == []
    client.send(b"SUB foo q 3\r\n")
    assert link.received() == [plus(kind, b"foo q 1")]
    client.send(b"SUB foo q 4\r\n")
    assert link.received() == [plus(kind, b"foo q 2")]
    client.send(b"UNSUB 1\r\n")
    assert link.received() == []
    client.send(b"UNSUB 2\r\nUNSUB 3\r\n")
    assert link.received() == [minus(kind, b"foo"), plus(kind, b"foo q 1")]
    client.session.close(ClosedReason.CLIENT_CLOSED)
    assert link.received() == [minus(kind, b"foo q")]


def test_a_subscription_that_used_up_its_messages_is_wanted_no_more(rig: Rig) -> None:
    client, link = rig.client(), rig.link(ROUTE)
    client.send(b"SUB foo 1\r\nUNSUB 1 2\r\n")
    assert link.received() == [b"RS+ $G foo"]
    client.send(b"PUB foo 0\r\n\r\n")
    assert link.received() == []
    link.send(b"RMSG $G foo 0\r\n\r\n")
    assert link.received() == [b"RS- $G foo"]


def test_routes_hear_of_every_account_and_leafnodes_of_theirs(rig: Rig) -> None:
    route, leaf = rig.link(ROUTE), rig.link(SPOKE, account="A")
    for account in ("A", "B"):
        rig.client(account=account).send(b"SUB foo 1\r\n")
    assert route.received() == [b"RS+ A foo", b"RS+ B foo"]
    assert leaf.received() == [b"LS+ foo"]


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_who_hears_of_whose_interest_and_gets_whose_messages(rig: Rig, source: LinkKind, other: LinkKind) -> None:
    hears = {ROUTE: {SPOKE}, SPOKE: {ROUTE, SPOKE, HUB}, HUB: {SPOKE}}
    here, there = rig.link(source), rig.link(other)
    here.send(plus(source, b"foo") + b"\r\n")
    assert here.received() == []
    assert there.received() == ([plus(other, b"foo")] if source in hears[other] else [])
    there.send(message(other, b"foo 2\r\nhi\r\n"))
    assert here.received() == ([message(source, b"foo 2\r\nhi")] if source in hears[other] else [])
    assert there.received() == []


def test_a_link_that_ends_takes_its_interest_with_it(rig: Rig) -> None:
    spoke, route = rig.link(SPOKE), rig.link(ROUTE)
    spoke.send(b"LS+ foo\r\nLS+ foo q 3\r\n")
    assert route.received() == [b"RS+ $G foo", b"RS+ $G foo q 3"]
    assert rig.engine.n_subscriptions() == 2
    spoke.session.close(ClosedReason.CLIENT_CLOSED)
    assert route.received() == [b"RS- $G foo", b"RS- $G foo q"]
    assert rig.engine.n_subscriptions() == 0
    spoke.send(b"LS+ bar\r\n")
    assert rig.engine.n_subscriptions() == 0


def test_a_loop_mark_is_told_to_leafnodes_only_and_the_peers_marks_are_reported(rig: Rig) -> None:
    before = rig.link(SPOKE)
    rig.engine.mark_loops("$G", b"$LDS.me")
    assert before.received() == [b"LS+ $LDS.me"]
    assert rig.link(HUB).received() == [b"LS+ $LDS.me"]
    assert rig.link(ROUTE).received() == []
    before.send(b"LS+ $LDS.you\r\n")
    assert before.events() == [("loop mark", b"$LDS.you")]


def test_system_services_of_a_leafnode_are_not_wanted_here(rig: Rig) -> None:
    leaf, route = rig.link(HUB), rig.link(ROUTE)
    leaf.send(b"LS+ $SYS.REQ.USER.INFO\r\n")
    assert (route.received(), leaf.session.n_subscriptions) == ([], 0)


def test_the_brokers_own_sessions_are_nobodys_interest_and_hear_no_other_server(rig: Rig) -> None:
    route = rig.link(ROUTE)
    internal = rig.engine.open_internal("$G")
    internal.subscribe(b"foo")
    route.send(b"RMSG $G foo 0\r\n\r\n")
    assert route.received() == []
    assert internal.take() == []
    assert rig.link(ROUTE).received() == []


def test_what_a_peer_wants_can_be_listed(rig: Rig) -> None:
    link = rig.link(ROUTE)
    link.send(b"RS+ $G foo\r\nRS+ A bar q 2\r\nRS+ A bar q 5\r\nRS+ $G x\r\nRS- $G x\r\nRS- $G nothing\r\n")
    wanted = [LinkInterest("$G", b"foo", None, 1), LinkInterest("A", b"bar", b"q", 5)]
    assert list(link.session.interests()) == wanted
    assert link.session.n_subscriptions == 2


# ---- messages


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("published", "sent"),
    [
        (b"PUB foo 2\r\nhi", b"foo | q 2\r\nhi"),
        (b"PUB foo reply.1 2\r\nhi", b"foo + reply.1 q 2\r\nhi"),
        (b"PUB plain 2\r\nhi", b"plain 2\r\nhi"),
        (b"PUB plain reply.1 02\r\nhi", b"plain reply.1 02\r\nhi"),
        (b"PUB  plain   reply.1  2\r\nhi", b"plain reply.1 2\r\nhi"),
        (b"PUB twice.x 0\r\n", b"twice.x 0\r\n"),
    ],
)
def test_a_peer_gets_one_message_for_all_its_interest(rig: Rig, kind: LinkKind, published: bytes, sent: bytes) -> None:
    link = rig.link(kind)
    for wanted in (b"foo q 2", b"foo", b"plain", b"twice.*", b"twice.x", b"twice.>"):
        link.send(plus(kind, wanted) + b"\r\n")
    rig.client().send(published + b"\r\n")
    assert link.received() == [message(kind, sent)]
    assert link.counters()[2:] == (1, len(sent.partition(b"\r\n")[2]))


@pytest.mark.parametrize("kind", KINDS)
def test_headers_go_to_peers_that_know_them_and_are_cut_off_for_others(rig: Rig, kind: LinkKind) -> None:
    knows, ancient = rig.link(kind), rig.link(kind, headers=False)
    for link in (knows, ancient):
        link.send(plus(kind, b"foo") + b"\r\n" + plus(kind, b"foo q 1") + b"\r\n")
    for link in (knows, ancient):
        link.received()
    rig.client().send(b"HPUB foo r %d %d\r\n%bhi\r\n" % (len(HEADERS), len(HEADERS) + 2, HEADERS))
    line = b"HMSG $G foo" if kind is ROUTE else b"HMSG foo"
    sizes = b"%d %d\r\n%bhi" % (len(HEADERS), len(HEADERS) + 2, HEADERS)
    got = [knows.received(), ancient.received()]
    assert sorted(map(len, got)) == [1, 1]
    assert got[0][0] in (line + b" + r q " + sizes, line + b" r " + sizes)
    assert got[1][0] in (message(kind, b"foo + r q 2\r\nhi"), message(kind, b"foo r 2\r\nhi"))
    assert sum(b" q " in frames[0] for frames in got) == 1, "one member of the group, wherever it is"


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_over_a_link_reaches_plain_subscriptions_and_the_groups_it_names(rig: Rig, kind: LinkKind) -> None:
    client, link = rig.client(), rig.link(kind)
    client.send(b"SUB foo 1\r\nSUB foo q 2\r\nSUB foo r 3\r\n")
    for line, sids in ((b"foo", b"1"), (b"foo |", b"1"), (b"foo | q", b"12"), (b"foo | r x q", b"123")):
        link.send(message(kind, line + b" 2\r\nhi\r\n"))
        assert sorted(client.received()) == [b"MSG foo %c 2\r\nhi" % sid for sid in sids]
    link.send(message(kind, b"foo + back q 2\r\nhi\r\n"))
    assert sorted(client.received()) == [b"MSG foo 1 back 2\r\nhi", b"MSG foo 2 back 2\r\nhi"]
    link.send(message(kind, b"foo back 2\r\nhi\r\n"))
    assert client.received() == [b"MSG foo 1 back 2\r\nhi"]
    assert link.counters()[:2] == (6, 12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_with_headers_over_a_link(rig: Rig, kind: LinkKind) -> None:
    client, link = rig.client(), rig.link(kind)
    client.send(b"SUB foo 1\r\nSUB foo q 2\r\n")
    line = b"HMSG $G foo" if kind is ROUTE else b"HMSG foo"
    body = b"%d %d\r\n%bhi\r\n" % (len(HEADERS), len(HEADERS) + 2, HEADERS)
    for to in (b" ", b" back ", b" | q ", b" + back q "):
        link.send(line + to + body)
        reply = b"back " if b"back" in to else b""
        expected = [b"HMSG foo 1 " + reply + body[:-2]] + [b"HMSG foo 2 " + reply + body[:-2]] * (b"q" in to)
        assert sorted(client.received()) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_may_come_in_any_pieces(rig: Rig, kind: LinkKind) -> None:
    client, link = rig.client(), rig.link(kind)
    client.send(b"SUB > 1\r\nSUB foo q 2\r\n")
    data = b"".join(
        [
            plus(kind, b"bar") + b"\r\nPING\r\n",
            message(kind, b"foo | q 5\r\nhello\r\n"),
            message(kind, b"foo back 0\r\n\r\n"),
            b"-ERR 'x'\r\n",
            minus(kind, b"bar") + b"\r\n",
            message(kind, b"foo 300\r\n" + b"z" * 300 + b"\r\n"),
        ]
    )
    for size in (1, 2, 3, 7, 50, len(data)):
        for at in range(0, len(data), size):
            link.send(data[at : at + size])
        assert sorted(client.received()) == [
            b"MSG foo 1 300\r\n" + b"z" * 300,
            b"MSG foo 1 5\r\nhello",
            b"MSG foo 1 back 0\r\n",
            b"MSG foo 2 5\r\nhello",
        ]
        assert b"PONG" in link.received()
        assert (link.session.n_subscriptions, link.session.closed) == (0, None)


def test_a_route_is_chosen_by_the_weight_of_its_members(rig: Rig) -> None:
    n_messages = 4000
    client, light, heavy = rig.client(), rig.link(ROUTE), rig.link(ROUTE)
    client.send(b"SUB foo q 1\r\n")
    light.send(b"RS+ $G foo q 1\r\n")
    heavy.send(b"RS+ $G foo q 2\r\n")
    assert light.received() == heavy.received() == [b"RS+ $G foo q 1"]
    rig.client().send(b"PUB foo 0\r\n\r\n" * n_messages)
    counts = [len(who.received()) for who in (client, light, heavy)]
    assert sum(counts) == n_messages
    expected = (n_messages / 4, n_messages / 4, n_messages / 2)
    # Two degrees of freedom: fair dice exceed this once in ten million runs.
    assert sum((count - wanted) ** 2 / wanted for count, wanted in zip(counts, expected, strict=True)) < 32


def test_a_leafnode_serves_a_group_only_where_nobody_nearer_does(rig: Rig) -> None:
    publisher, leaf, route = rig.client(), rig.link(SPOKE), rig.link(ROUTE)
    leaf.send(b"LS+ foo q 100\r\n")
    publisher.send(b"PUB foo 0\r\n\r\n")
    assert leaf.received() == [b"LMSG foo | q 0\r\n"]
    route.send(b"RS+ $G foo q 1\r\n")
    leaf.received()
    publisher.send(b"PUB foo 0\r\n\r\n" * 20)
    assert leaf.received() == []
    assert Counter(route.received())[b"RMSG $G foo | q 0\r\n"] == 20
    route.send(b"RMSG $G foo | q 0\r\n\r\n")
    assert leaf.received() == [b"LMSG foo | q 0\r\n"], "over a route it goes no further than to leafnodes"


def test_a_group_named_twice_by_patterns_is_served_once(rig: Rig) -> None:
    client, route = rig.client(), rig.link(ROUTE)
    client.send(b"SUB foo q 1\r\nSUB * q 2\r\n")
    route.send(b"RMSG $G foo | q 0\r\n\r\n")
    assert len(client.received()) == 1


def test_a_request_with_interest_elsewhere_has_responders(rig: Rig) -> None:
    client, route = rig.client(no_responders=True), rig.link(ROUTE)
    client.send(b"SUB back 1\r\nPUB ask back 0\r\n\r\n")
    status = b"NATS/1.0 503\r\nNats-Subject: ask\r\n\r\n"
    assert client.received() == [b"HMSG back 1 %d %d\r\n%b" % (len(status), len(status), status)]
    route.send(b"RS+ $G ask\r\n")
    client.send(b"PUB ask back 0\r\n\r\n")
    assert client.received() == []


def test_messages_of_accounts_that_are_not_here_are_dropped(rig: Rig) -> None:
    route = rig.link(ROUTE)
    route.send(b"RMSG UNKNOWN foo 2\r\nhi\r\nPING\r\n")
    assert route.received() == [b"PONG"]
    assert route.session.closed is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_payload_goes_through_whole(make_rig: MakeRig, kind: LinkKind) -> None:
    rig = make_rig(max_pending=1 << 24)
    client, publisher, link = rig.client(), rig.client(), rig.link(kind)
    client.send(b"SUB foo 1\r\n")
    link.send(plus(kind, b"foo") + b"\r\n")
    link.received()
    payload = bytes(range(256)) * 4096
    frame = b"foo %d\r\n%b" % (len(payload), payload)
    data = b"PUB " + frame + b"\r\n"
    for at in range(0, len(data), 65536):
        publisher.send(data[at : at + 65536])
    assert link.received() == [message(kind, frame)]
    client.received()
    data = message(kind, frame) + b"\r\n"
    for at in range(0, len(data), 65536):
        link.send(data[at : at + 65536])
    assert client.received() == [b"MSG foo 1 %d\r\n%b" % (len(payload), payload)]


# ---- permissions


def test_what_a_peer_may_not_publish_is_refused_and_not_asked_of_it(rig: Rig) -> None:
    rules = Permissions(publish_allow=[b"ok.>"])
    client, link = rig.client(), rig.link(SPOKE, permissions=rules)
    client.send(b"SUB ok.x 1\r\nSUB secret 2\r\n")
    assert link.received() == [b"LS+ ok.x"]
    link.send(b"LMSG secret 0\r\n\r\nLMSG ok.x 0\r\n\r\n")
    assert client.received() == [b"MSG ok.x 1 0\r\n"]
    assert link.events() == [("violation", 'Permissions Violation for Publish to "secret"')]


def test_what_a_peer_may_not_be_sent_is_not_learnt_and_not_sent(rig: Rig) -> None:
    rules = Permissions(subscribe_deny=[Rule(b"secret.>")])
    client, link = rig.client(), rig.link(SPOKE, permissions=rules)
    link.send(b"LS+ secret.x\r\nLS+ >\r\n")
    assert link.events() == [("violation", 'Permissions Violation for Subscription to "secret.x"')]
    client.send(b"PUB secret.x 0\r\n\r\nPUB open 0\r\n\r\n")
    assert link.received() == [b"LMSG open 0\r\n"]


def test_a_leafnode_may_want_patterns_and_gets_and_sends_what_it_may(rig: Rig) -> None:
    rules = Permissions(publish_allow=[b"ok.>"], subscribe_allow=[Rule(b"open.*")])
    client, link = rig.client(), rig.link(SPOKE, permissions=rules)
    client.send(b"SUB > 1\r\n")
    assert link.received() == [b"LS+ >"]
    link.send(b"LS+ >\r\nLMSG ok.x 0\r\n\r\nLMSG secret 0\r\n\r\n")
    assert client.received() == [b"MSG ok.x 1 0\r\n"]
    assert link.events() == [("violation", 'Permissions Violation for Publish to "secret"')]
    client.send(b"PUB open.x 0\r\n\r\nPUB secret 0\r\n\r\n")
    assert link.received() == [b"LMSG open.x 0\r\n"]


def test_interest_beyond_the_limit_is_refused(rig: Rig) -> None:
    link = rig.link(SPOKE, max_subscriptions=1)
    link.send(b"LS+ a\r\nLS+ b\r\nLS+ a\r\n")
    assert [event[0] for event in link.events()] == ["violation"]
    assert link.session.n_subscriptions == 1


# ---- talk, and nonsense


def test_before_it_has_joined_a_link_talks_only(rig: Rig) -> None:
    link = rig.link_stranger(ROUTE)
    link.send(b'CONNECT {"name":"x"}\r\nINFO {} \r\nPING\r\nPONG\r\n+OK\r\n-ERR \'no\'\r\n')
    assert link.events() == [("connect", b'{"name":"x"}'), ("info", b"{}"), ("pong",), ("peer error", "no")]
    assert link.received() == [b"PONG"]
    link.send(b"RS+ $G foo\r\n")
    assert link.session.closed is ClosedReason.PROTOCOL_VIOLATION
    assert link.received() == [b"-ERR 'Unknown Protocol Operation'"]


def test_held_input_waits(rig: Rig) -> None:
    link = rig.link_stranger(SPOKE)
    link.session.hold()
    link.send(b"PING\r\nLS+ foo\r\n")
    assert link.received() == []
    link.session.join(LinkGrant(account="$G"))
    link.session.go_on()
    assert link.received() == [b"PONG"]
    assert link.session.n_subscriptions == 1


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00",
        b"PUB foo 2\r\nhi\r\n",
        b"RMSG $G foo\r\n",
        b"RMSG $G foo a b 2\r\nhi\r\n",
        b"RMSG $G foo -1\r\n",
        b"RMSG $G foo 9999999999\r\n",
        b"RMSG $G foo 2\r\nhix\r\n",
        b"HMSG $G foo 5 2\r\nhi\r\n",
        b"RS+ $G\r\n",
        b"RS+ $G foo q\r\n",
        b"RS+ $G foo q 0\r\n",
        b"RS+ $G foo..bar\r\n",
        b"RS- $G a b c\r\n",
        b"LS+ foo\r\n",
        b"\r\n\r\n",
    ],
)
def test_nonsense_ends_the_link_at_once(rig: Rig, data: bytes) -> None:
    link = rig.link(ROUTE)
    link.send(data)
    assert link.session.closed in (ClosedReason.PROTOCOL_VIOLATION,)
    assert [event[0] for event in link.events()] == ["error"]


def test_lines_and_payloads_are_bounded(make_rig: MakeRig) -> None:
    rig = make_rig(max_control_line=64)
    link = rig.link(ROUTE)
    link.send(b"RS+ $G " + b"x" * 900)
    assert link.session.closed is None
    link.send(b"x" * 200)
    assert link.session.closed is ClosedReason.MAX_CONTROL_LINE_EXCEEDED
    link = rig.link(ROUTE, max_payload=10)
    link.send(b"RMSG $G foo 11\r\n")
    assert link.session.closed is ClosedReason.MAX_PAYLOAD_EXCEEDED


def test_a_peer_that_does_not_read_is_cut(make_rig: MakeRig) -> None:
    rig = make_rig(max_pending=4096)
    publisher, link = rig.client(), rig.link(ROUTE)
    link.send(b"RS+ $G foo\r\n")
    publisher.send(b"PUB foo 400\r\n%b\r\n" % (b"x" * 400) * 9)
    assert publisher.session.take_stalled() == [link.session]
    publisher.send(b"PUB foo 400\r\n%b\r\n" % (b"x" * 400) * 4)
    assert link.session.closed is ClosedReason.SLOW_CONSUMER_PENDING_BYTES
    assert ("slow consumer",) in link.events()
    assert (link.drain(), link.session.pending_bytes, rig.engine.n_subscriptions()) == (b"", 0, 0)


def test_a_failed_link_says_why_and_takes_no_more(rig: Rig) -> None:
    link = rig.link(ROUTE)
    link.session.fail(WireError(ClosedReason.DUPLICATE_ROUTE, wire="Duplicate Route"))
    link.send(b"RS+ $G foo\r\n")
    assert link.received() == [b"-ERR 'Duplicate Route'"]
    assert rig.engine.n_subscriptions() == 0


def test_a_traced_link_shows_every_line(rig: Rig) -> None:
    client, link = rig.client(), rig.link(ROUTE)
    link.session.tracing = True
    link.send(b"RS+ $G foo\r\nRMSG $G bar | q 2\r\nhi\r\n")
    client.send(b"SUB bar 1\r\nPUB foo 2\r\nyo\r\n")
    assert link.events() == [
        (Arrow.IN, b"RS+", b"$G foo"),
        (Arrow.IN, b"RMSG", b"$G bar | q 2"),
        (Arrow.IN, b"hi", 0),
        (Arrow.OUT, b"RS+", b"$G bar"),
        (Arrow.OUT, b"RMSG", b"$G foo 2"),
        (Arrow.OUT, b"yo", 0),
    ]


def test_a_link_that_is_gone_is_freed(rig: Rig) -> None:
    owner = Owner()
    link: Link = rig.engine.open_link(ROUTE, owner, rig.link_recorder)
    rig.recorder.events.clear()
    link.join(LinkGrant())
    link.feed(b"RS+ $G foo\r\n")
    link.close(ClosedReason.CLIENT_CLOSED)
    link.dispose()
    rig.engine.collect()
    gone = weakref.ref(owner)
    del owner, link
    gc.collect()
    assert gone() is None


# ---- a new grant for a client


def test_a_new_grant_keeps_what_is_still_allowed(rig: Rig) -> None:
    client, route = rig.client(), rig.link(ROUTE)
    client.send(b"SUB a 1\r\nSUB b 2\r\nSUB > 3\r\n")
    rules = Permissions(subscribe_deny=[Rule(b"b")])
    ended = client.session.regrant(quiet(permissions=rules))
    assert [view.subject for view in ended] == [b"b"]
    assert route.received() == [b"RS+ $G a", b"RS+ $G b", b"RS+ $G >", b"RS- $G b"]
    rig.client().send(b"PUB a 0\r\n\r\nPUB b 0\r\n\r\n")
    assert sorted(client.received()) == [b"MSG a 1 0\r\n", b"MSG a 3 0\r\n"]
