"""Links under random moves: both engines do the same, peers know what is wanted, nobody gets a message twice."""

from __future__ import annotations

import os
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natsctl.engine.api import LinkKind
from natsctl.errors import ClosedReason, WireError
from natsctl.protocol.subject import covers
from tests.support.rig import ENGINES, Client, Rig

EXAMPLES = int(os.environ.get("NATSCTL_DIFFERENTIAL_EXAMPLES", "2000")) // 4
KINDS = (LinkKind.ROUTE, LinkKind.ROUTE, LinkKind.SPOKE, LinkKind.SPOKE, LinkKind.HUB)
N_CLIENTS = 2
HEARD = {
    LinkKind.ROUTE: {"client", "spoke"},
    LinkKind.SPOKE: {"client", "route", "spoke", "hub"},
    LinkKind.HUB: {"client", "spoke"},
}

PATTERNS = st.sampled_from(["a", "b", "a.b", "a.*", "*.b", ">", "a.>"])
SUBJECTS = st.sampled_from(["a", "b", "a.b", "a.b.c", "c"])
QUEUES = st.sampled_from(["", "q", "r"])
WHO = st.integers(0, N_CLIENTS + len(KINDS) - 1)
MOVES = st.one_of(
    st.tuples(st.just("want"), WHO, PATTERNS, QUEUES, st.integers(1, 3)),
    st.tuples(st.just("unwant"), WHO, PATTERNS, QUEUES, st.just(0)),
    st.tuples(st.just("publish"), WHO, SUBJECTS, QUEUES, st.booleans()),
    st.tuples(st.just("leave"), WHO, st.just(""), st.just(""), st.just(0)),
)


def read_interest(frame: bytes) -> tuple[tuple[str, str], int]:
    """Subject and group of an interest line, and its weight."""
    words = frame.decode().replace("$G ", "").split()[1:]
    return (words[0], words[1] if len(words) > 1 else ""), int(words[2]) if len(words) > 2 else 1


class World:
    """Clients and links of one engine, and what each of them wants."""

    def __init__(self, name: str, *, one_member: bool) -> None:
        self.rig = Rig(name)
        self.one_member = one_member  # who of several members gets a message is chance
        self.peers: list[Client[Any]] = [self._join(who) for who in range(N_CLIENTS + len(KINDS))]
        self.wanted: list[dict[tuple[str, str], int]] = [{} for _ in self.peers]
        self.told: list[dict[tuple[str, str], int]] = [{} for _ in self.peers]
        self.heard: list[list[bytes]] = [[] for _ in self.peers]

    def kind(self, who: int) -> LinkKind | None:
        return KINDS[who - N_CLIENTS] if who >= N_CLIENTS else None

    def _join(self, who: int) -> Client[Any]:
        kind = self.kind(who)
        return self.rig.client() if kind is None else self.rig.link(kind)

    def move(self, what: str, who: int, subject: str, queue: str, number: int) -> None:
        if queue and self.one_member:
            queue = f"{queue}-{who}-{subject.replace('.', '-').replace('*', 's').replace('>', 'g')}"
        kind, peer, key = self.kind(who), self.peers[who], (subject, queue)
        account = "$G " if kind is LinkKind.ROUTE else ""
        letter = "R" if kind is LinkKind.ROUTE else "L"
        sid = f"{subject}/{queue}"
        if what == "want":
            if kind is None:
                peer.send(f"SUB {subject} {queue} {sid}\r\n".encode())
            else:
                peer.send(f"{letter}S+ {account}{subject}{f' {queue} {number}' if queue else ''}\r\n".encode())
            self.wanted[who][key] = 1 if kind is None or not queue else number
        elif what == "unwant":
            line = f"UNSUB {sid}" if kind is None else f"{letter}S- {account}{subject} {queue}"
            peer.send(f"{line}\r\n".encode())
            self.wanted[who].pop(key, None)
        elif what == "publish":
            reply = "back" if number else ""
            if kind is None:
                peer.send(f"PUB {subject} {reply} 2\r\nhi\r\n".encode())
            else:
                to = f"{'+ ' + reply if reply else '|'} {queue} " if queue else f"{reply} " if reply else ""
                peer.send(f"{letter}MSG {account}{subject} {to}2\r\nhi\r\n".encode())
        else:
            peer.session.close(ClosedReason.CLIENT_CLOSED)
            peer.session.dispose()
            self.peers[who], self.wanted[who], self.told[who] = self._join(who), {}, {}

    def listen(self) -> None:
        """Take what everybody was sent."""
        for who, peer in enumerate(self.peers):
            self.heard[who] = peer.received()
            for frame in self.heard[who]:
                if frame.startswith((b"RS", b"LS")):
                    key, weight = read_interest(frame)
                    if frame[2:3] == b"+":
                        self.told[who][key] = weight
                    else:
                        del self.told[who][key]

    def should_know(self, who: int) -> dict[tuple[str, str], int]:
        """What a link should have been told by now."""
        kind = self.kind(who)
        assert kind is not None
        known: Counter[tuple[str, str]] = Counter()
        for other, wanted in enumerate(self.wanted):
            other_kind = self.kind(other)
            origin = other_kind.value if other_kind is not None else "client"
            if other != who and origin in HEARD[kind]:
                known.update(wanted)
        return {key: count if key[1] else 1 for key, count in known.items()}


@pytest.mark.timeout(300)
@settings(max_examples=EXAMPLES, deadline=None)
@given(moves=st.lists(MOVES, max_size=40))
def test_both_engines_say_the_same(moves: list[tuple[str, int, str, str, int]]) -> None:
    one, other = World(ENGINES[0], one_member=True), World("pure", one_member=True)
    for move in moves:
        one.move(*move)
        other.move(*move)
        one.listen()
        other.listen()
        assert [sorted(frames) for frames in one.heard] == [sorted(frames) for frames in other.heard]
    assert [peer.counters() for peer in one.peers] == [peer.counters() for peer in other.peers]
    assert one.rig.engine.n_subscriptions() == other.rig.engine.n_subscriptions()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ENGINES)
@settings(max_examples=EXAMPLES, deadline=None)
@given(moves=st.lists(MOVES, max_size=40))
def test_every_link_knows_what_is_wanted(name: str, moves: list[tuple[str, int, str, str, int]]) -> None:
    world = World(name, one_member=False)
    for move in moves:
        world.move(*move)
        world.listen()
        for who in range(N_CLIENTS, len(world.peers)):
            assert world.told[who] == world.should_know(who)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ENGINES)
@settings(max_examples=EXAMPLES, deadline=None)
@given(moves=st.lists(MOVES, max_size=30), source=WHO, subject=SUBJECTS, queue=QUEUES)
def test_a_message_goes_once_to_each_that_may_have_it(
    name: str, moves: list[tuple[str, int, str, str, int]], source: int, subject: str, queue: str
) -> None:
    world = World(name, one_member=False)
    for move in moves:
        world.move(*move)
    world.listen()
    world.move("publish", source, subject, queue, 0)
    world.listen()
    kind = world.kind(source)
    served: Counter[str] = Counter()
    able: set[str] = set()
    for who, frames in enumerate(world.heard):
        other = world.kind(who)
        may = kind is None or (who != source and (other.value if other is not None else "client") in HEARD[kind])
        wants = {key for key in world.wanted[who] if covers(key[0].encode(), subject.encode())}
        able |= {group for _, group in wants if group and may and (kind is None or group == queue)}
        if other is None:
            sids = [frame.split()[2].decode() for frame in frames]
            served.update(sid.rpartition("/")[2] for sid in sids if not sid.endswith("/"))
            assert sorted(sid for sid in sids if sid.endswith("/")) == sorted(
                f"{s}/" for s, g in wants if not g and may
            )
        else:
            assert len(frames) <= 1
            assert bool(frames) >= (may and any(not group for _, group in wants))
            assert may or not frames
            groups = frames[0].split(b"\r\n")[0].decode().split() if frames else []
            served.update(groups[groups.index("|") + 1 : -1] if "|" in groups else [])
    assert served == dict.fromkeys(able, 1)


LINES = st.sampled_from(
    [
        *(b"RS+ $G foo", b"RS+ $G > ", b"RS+ $G foo q 2", b"RS- $G foo", b"RS- $G foo q", b"RS+ NEW x", b"rs+ $G a"),
        *(b"RS+", b"RS+ $G", b"RS+ $G a b", b"RS+ $G a q 0", b"RS- $G a b c", b"LS+ foo", b"RS+ $G a..b"),
        *(b"PING", b"ping", b"PONG ", b"+OK", b"-ERR 'no'", b"INFO {}", b"CONNECT {}", b"PUB foo 2", b"SUB foo 1", b""),
    ]
)
BODIES = st.sampled_from([b"", b"hi", b"NATS/1.0\r\n\r\n", b"x" * 70])
MESSAGES = st.builds(
    lambda verb, to, body, off, end: verb + to + b"%d" % (len(body) + off) + b"\r\n" + body + end,
    st.sampled_from(
        [b"RMSG $G foo ", b"RMSG NEW foo ", b"rmsg $G foo ", b"HMSG $G foo ", b"LMSG foo ", b"RMSG $G  x ", b"RMSG "]
    ),
    st.sampled_from(
        [b"", b"back ", b"| q ", b"| ", b"+ back q r ", b"+ back ", b"12 ", b"| q 12 ", b" ", b"a b ", b"+ "]
    ),
    BODIES,
    st.sampled_from([0, 0, 0, 0, 1, -1]),
    st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"xx", b""]),
)
TALK = st.lists(st.one_of(LINES.map(lambda line: line + b"\r\n"), MESSAGES, st.binary(max_size=6)), max_size=12).map(
    b"".join
)


def outcome(name: str, data: bytes, cuts: list[int], joined: bool, tracing: bool) -> object:
    """All that bytes over a route bring about."""
    rig = Rig(name, max_control_line=8)
    client = rig.client()
    client.send(b"SUB foo 1\r\nSUB foo q 2\r\nSUB x 3\r\n")
    link = rig.link(LinkKind.ROUTE) if joined else rig.link_stranger(LinkKind.ROUTE)
    link.session.tracing = tracing
    marks = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    for start, stop in pairwise(marks):
        link.send(data[start:stop])
    events = [tuple(str(part) if isinstance(part, WireError) else part for part in event) for event in link.events()]
    return events, link.session.closed, link.drain(), client.drain(), link.counters(), rig.engine.n_subscriptions()


@pytest.mark.timeout(300)
@settings(max_examples=2 * EXAMPLES, deadline=None)
@given(data=TALK, cuts=st.lists(st.integers(0, 400), max_size=6), joined=st.booleans(), tracing=st.booleans())
def test_both_engines_read_the_same(data: bytes, cuts: list[int], joined: bool, tracing: bool) -> None:
    assert outcome(ENGINES[0], data, cuts, joined, tracing) == outcome("pure", data, cuts, joined, tracing)
