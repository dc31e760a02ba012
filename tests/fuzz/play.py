"""A scenario played to one engine through the seam, with everything written down that can be seen from outside."""

from __future__ import annotations

import re

from natsctl.engine import create
from natsctl.engine.api import Grant, InternalSession, Limits, Session
from natsctl.errors import ClosedReason, WireError
from tests.fuzz.scenario import Move, Scenario, make_grant
from tests.support.frames import split_frames
from tests.support.rig import Recorder

__all__ = ["Peer", "Play", "difference", "play"]

_ASKED_GRANT = re.compile(rb'"grant": *(\d)')
_REASONS = (ClosedReason.CLIENT_CLOSED, ClosedReason.READ_ERROR, ClosedReason.STALE_CONNECTION)
_MAX_PEERS = 12


class Peer:
    """A client, with its network done by hand.

    Attributes:
        home: The account it stays in; None: each grant may bring another.
        blocked: Whether its socket takes nothing by itself; output leaves by the scenario's moves only.
        taken: All output so far.
        n_sent: How much of it has left the process.
        cut_at: What had left when it was cut as a slow consumer; the rest is lost, at the engine's discretion.
    """

    def __init__(self, session: Session, home: str | None = None) -> None:
        self.session = session
        self.home = home
        self.blocked = False
        self.taken = bytearray()
        self.n_sent = 0
        self.cut_at: int | None = None

    def send(self, n_bytes: int) -> None:
        """Let so much output leave the process, or all there is."""
        while len(self.taken) - self.n_sent < n_bytes and self.session.has_output():
            self.taken += self.session.take()
        n_bytes = min(n_bytes, len(self.taken) - self.n_sent)
        self.session.sent(n_bytes)
        self.n_sent += n_bytes

    def drain(self) -> None:
        """Let everything leave."""
        while self.session.has_output():
            self.taken += self.session.take()
        self.send(len(self.taken) - self.n_sent)

    def output(self) -> bytes:
        """What certainly reached the peer."""
        return bytes(self.taken[: self.cut_at])

    def state(self) -> tuple[object, ...]:
        """What one can see of the session, without its subscriptions."""
        session = self.session
        pending = session.pending_bytes if self.cut_at is None else None
        traffic = session.in_msgs, session.in_bytes, session.out_msgs, session.out_bytes, session.stalls, session.pings
        return pending, session.closed, session.held, session.granted, session.n_subscriptions, traffic


class _Director(Recorder):
    """The handler: notes what it is told and does what the scenario says."""

    def __init__(self, play: Play) -> None:
        super().__init__()
        self._play = play
        self.answer = play.answer
        self.answer_unauthenticated = play.answer_unauthenticated
        self.measure = lambda session: play.relieve(session)

    def on_violation(self, session: Session, text: str) -> None:
        super().on_violation(session, text)
        if self._play.scenario.temper != "meek":
            session.fail(WireError(ClosedReason.AUTHENTICATION_FAILURE, wire="Enough"))

    def on_info(self, session: Session, document: bytes) -> None:
        super().on_info(session, document)
        if not document.startswith(b"{"):
            session.fail(WireError(ClosedReason.PROTOCOL_VIOLATION, log="not JSON"))

    def on_protocol_error(self, session: Session, error: WireError) -> None:
        super().on_protocol_error(session, error)
        self._play.avenge(session)

    def on_slow_consumer(self, session: Session) -> None:
        super().on_slow_consumer(session)
        self._play.cut(session)
        self._play.avenge(session)


class Play:
    """One engine in one scenario.

    Attributes:
        seen: What could be seen, move after move.
    """

    def __init__(self, name: str, scenario: Scenario) -> None:
        self.scenario = scenario
        self.recorder = _Director(self)
        self.engine = create(self.recorder, Limits(**scenario.limits), name)
        self.peers: list[Peer] = []
        self.insiders: list[InternalSession] = []
        self.seen: list[object] = []
        self._moves = {
            "open": self._open,
            "stranger": self._stranger,
            "feed": self._feed,
            "close": self._close,
            "grant": self._grant,
            "fail": self._fail,
            "send": self._send,
            "drain": self._drain,
            "take": self._take,
            "compact": self._compact,
            "block": self._block,
            "trace": self._trace,
            "write": self._write,
            "error": self._error,
            "wait": self._wait,
            "listen": self._listen,
            "publish": self._publish,
        }

    def perform(self) -> None:
        """Play all moves, and look after each."""
        for move in self.scenario.moves:
            self._moves[move.verb](move)
            self._look()

    def finish(self) -> None:
        """Let everybody's output leave, and write down what it was."""
        for peer in self.peers:
            peer.drain()
            assert peer.session.pending_bytes == 0, f"{peer.session.owner}: pending after everything was sent"
            self.seen.append((peer.output(), list(peer.session.subscriptions())))
            if peer.cut_at is None:
                _, rest = split_frames(peer.output())
                assert not rest, f"{peer.session.owner}: half a frame"
        self.seen.append(self.recorder.events)

    def _look(self) -> None:
        touched = {session.owner for session in self.engine.collect()}
        for owner in touched:
            peer = self.peers[owner]
            if peer.blocked:
                peer.session.compact()
            else:
                peer.drain()
        heard = [
            (self.insiders.index(insider), [(*each[:4], each.source and each.source.owner) for each in insider.take()])
            for insider in self.engine.collect_internal()
        ]
        self.seen.append((touched, heard, [peer.state() for peer in self.peers], len(self.recorder.events)))
        held = sum(peer.session.n_subscriptions for peer in self.peers if peer.session.closed is None)
        listening = self.engine.n_subscriptions() - held
        assert listening == self.n_internal, f"{listening} subscriptions besides those of the clients"
        for peer in self.peers:
            session = peer.session
            assert session.closed or session.pending_bytes <= self.engine.limits.max_pending, "over max_pending"

    # ---- the broker's part

    n_internal = 0
    """Subscriptions of the internal sessions."""

    def peer_of(self, session: Session) -> Peer:
        """The peer that talks through this session."""
        peer: Peer = self.peers[session.owner]
        return peer

    def answer(self, session: Session, document: bytes) -> None:
        """Answer a CONNECT by what stands in it: ``grant`` names one of the scenario's, ``later`` waits."""
        found = _ASKED_GRANT.search(document)
        if b"later" in document:
            return
        if found is None:
            session.fail(WireError(ClosedReason.AUTHENTICATION_FAILURE, wire="Authorization Violation"))
        else:
            self._let_in(session, int(found[1]))

    def answer_unauthenticated(self, session: Session) -> None:
        """The first stranger must CONNECT; any other may come in without."""
        if session.owner:
            self._let_in(session, session.owner)
        else:
            session.fail(WireError(ClosedReason.AUTHENTICATION_FAILURE, wire="Authorization Violation"))

    def relieve(self, session: Session) -> None:
        """Some output is found to have left."""
        peer = self.peer_of(session)
        if self.scenario.relief < 0:
            peer.drain()
        else:
            peer.send(self.scenario.relief)

    def cut(self, session: Session) -> None:
        """A slow consumer was cut: what has not left by now is lost."""
        peer = self.peer_of(session)
        peer.cut_at = peer.n_sent

    def avenge(self, session: Session) -> None:
        """In the wild somebody else goes, too, in the midst of whatever is going on."""
        if self.scenario.temper == "wild":
            self.peers[(session.owner + 1) % len(self.peers)].session.close(ClosedReason.SERVER_SHUTDOWN)

    def _make_grant(self, number: int) -> Grant:
        return make_grant(self.scenario.grants[number % len(self.scenario.grants)])

    def _let_in(self, session: Session, number: int) -> None:
        grant = self._make_grant(number)
        grant.account = self.peer_of(session).home or grant.account
        session.grant(grant)

    # ---- the moves

    def _peer(self, move: Move) -> Peer:
        if not self.peers:
            self._open(move)
        return self.peers[move.who % len(self.peers)]

    def _open(self, move: Move) -> None:
        if len(self.peers) < _MAX_PEERS:
            grant = self._make_grant(move.number)
            self.peers.append(Peer(self.engine.open(len(self.peers), grant), grant.account))

    def _stranger(self, move: Move) -> None:
        if len(self.peers) < _MAX_PEERS:
            self.peers.append(Peer(self.engine.open(len(self.peers), None)))

    def _feed(self, move: Move) -> None:
        session = self._peer(move).session
        if not session.held:
            session.feed(memoryview(move.data))
        self.seen.append({each.owner for each in session.take_stalled()})

    def _close(self, move: Move) -> None:
        self._peer(move).session.close(_REASONS[move.number % len(_REASONS)])

    def _grant(self, move: Move) -> None:
        session = self._peer(move).session
        if session.closed is None:
            self._let_in(session, move.number)

    def _fail(self, move: Move) -> None:
        self._peer(move).session.fail(WireError(ClosedReason.STALE_CONNECTION, wire="Stale Connection"))

    def _send(self, move: Move) -> None:
        self._peer(move).send(move.number)

    def _drain(self, move: Move) -> None:
        self._peer(move).drain()

    def _take(self, move: Move) -> None:
        peer = self._peer(move)
        peer.taken += peer.session.take()

    def _compact(self, move: Move) -> None:
        self._peer(move).session.compact()

    def _block(self, move: Move) -> None:
        peer = self._peer(move)
        peer.blocked = bool(move.number)
        if not peer.blocked:
            peer.drain()

    def _trace(self, move: Move) -> None:
        self._peer(move).session.tracing = bool(move.number)

    def _write(self, move: Move) -> None:
        self._peer(move).session.write(move.data)

    def _error(self, move: Move) -> None:
        self._peer(move).session.send_error(move.data.decode("latin-1"))

    def _wait(self, move: Move) -> None:
        self.engine.now += move.number

    def _listen(self, move: Move) -> None:
        account, subject, queue = move.data.split(b"|")
        insider = self.engine.open_internal(account.decode())
        insider.subscribe(subject, queue or None)
        self.insiders.append(insider)
        self.n_internal += 1

    def _publish(self, move: Move) -> None:
        if self.insiders:
            subject, reply, header, payload = move.data.split(b"|", 3)
            insider = self.insiders[move.who % len(self.insiders)]
            self.seen.append(insider.publish(subject, payload, reply=reply, header=header))


def play(name: str, scenario: Scenario) -> list[object]:
    """Play a scenario to an engine; returns everything that could be seen."""
    performance = Play(name, scenario)
    performance.perform()
    performance.finish()
    return performance.seen


def difference(one: str, other: str, scenario: Scenario) -> str:
    """Tell where two engines first differ, or that one broke its promises; empty when all is well."""
    seen: list[list[object]] = []
    for name in (one, other):
        try:
            seen.append(play(name, scenario))
        except Exception as error:  # whatever it is, it should not have come out
            return f"{name}: {type(error).__name__}: {error}"
    for n, (left, right) in enumerate(zip(*seen, strict=True)):
        if left != right:
            return f"observation {n}\n  {one}: {left!r:.2000}\n  {other}: {right!r:.2000}"
    return ""
