"""The talking half of a link: what servers say to each other, one line at a time.

Source: nats-server ``parser.go`` (parse), ``route.go`` (processRemoteSub, processInboundRoutedMsg), ``leafnode.go``
(processLeafSub, processInboundLeafMsg).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from natsctl.engine import grammar
from natsctl.engine import link_grammar as wire
from natsctl.engine.api import Arrow, Link, LinkGrant, LinkHandler, LinkInterest, LinkKind
from natsctl.engine.interest import Origin
from natsctl.engine.link_grammar import LinkMessage
from natsctl.engine.peer import Peer
from natsctl.errors import ClosedReason, WireError
from natsctl.protocol import subject as subjects
from natsctl.protocol.quote import go_quote

__all__ = ["LinkSession"]

_CRLF = b"\r\n"
_LINE_FACTOR = 16
"""How much longer the lines of servers may be than those of clients."""
_LOOP_MARK = b"$LDS."
_SYSTEM = b"$SYS."
_TALK = (b"CONNECT", b"INFO", b"PING", b"PONG", b"-ERR", b"+OK")
_EXCHANGE = {
    LinkKind.ROUTE: (b"RS+", b"RS-", b"RMSG", b"HMSG"),
    LinkKind.SPOKE: (b"LS+", b"LS-", b"LMSG", b"HMSG"),
    LinkKind.HUB: (b"LS+", b"LS-", b"LMSG", b"HMSG"),
}
_ORIGINS = {LinkKind.ROUTE: Origin.ROUTE, LinkKind.SPOKE: Origin.SPOKE, LinkKind.HUB: Origin.HUB}


class LinkSession(Peer):
    """A link, but for its outbox and the way it finds whole messages, which each engine has its own way.

    See :class:`natsctl.engine.api.Link` for the public face.
    """

    if not TYPE_CHECKING:  # the joined class has the slots
        __slots__ = ()
    else:  # what the other half brings
        _account: Any
        _filtered: bool
        """Whether the peer wants something that takes in subjects it must not get."""
        _grant: LinkGrant
        _held: bool
        _interests: dict[tuple[str, bytes, bytes | None], Any]
        _max_line: int
        _max_payload: int
        _need: int
        """Bytes of the unfinished operation, once its line has come; else 0."""
        _rest: bytes | bytearray
        in_bytes: int
        in_msgs: int
        joined: bool
        kind: LinkKind
        origin: Origin
        out_bytes: int
        out_msgs: int
        pings: int
        feed: Callable[[bytes | memoryview], None]
        _take_whole: Callable[[bytes, int], int]
        """Moves on whole messages, as far as the engine can at once."""
        _classify: Callable[[], None]

    stalls = 0

    def _begin(self, plane: Any, kind: LinkKind, owner: Any, handler: LinkHandler) -> None:
        self._begin_pressure(plane)
        self.kind = kind
        self.origin = _ORIGINS[kind]
        self.owner = owner
        self._handler = handler
        self._account = None
        self._filtered = self._held = self.joined = False
        self._grant = LinkGrant()
        self._interests = {}
        self._max_line = plane.limits.max_control_line * _LINE_FACTOR
        self._max_payload = 0
        self._need = 0
        self._rest = b""
        self.in_msgs = self.in_bytes = self.out_msgs = self.out_bytes = self.pings = 0

    # ---- what the broker decides

    @property
    def _session(self) -> Link:
        """The whole link this is a part of."""
        return cast(Link, self)

    @property
    def account(self) -> str:
        """The account of a leafnode; empty for a route."""
        return self._grant.account

    @property
    def tracing(self) -> bool:
        """Whether the handler hears of each line and payload."""
        return self._tracing

    @tracing.setter
    def tracing(self, on: bool) -> None:
        self._tracing = on
        self._classify()

    @property
    def n_subscriptions(self) -> int:
        """Subjects and queue groups the peer wants."""
        return len(self._interests)

    def interests(self) -> Iterator[LinkInterest]:
        """What the peer wants, oldest first."""
        for (account, subject, queue), entry in self._interests.items():
            yield LinkInterest(account, subject, queue, entry.weight)

    @property
    def held(self) -> bool:
        """Whether input waits for :meth:`go_on`."""
        return self._held

    def hold(self) -> None:
        """Take in nothing behind the line that is being handled."""
        self._held = True

    def go_on(self) -> None:
        """Take in what was held."""
        if self._held and self.closed is None:
            self._held = False
            self.feed(b"")

    def join(self, grant: LinkGrant) -> None:
        """Exchange interest and messages from now on."""
        if self.joined or self.closed is not None:
            return
        self._grant = grant
        self._max_payload = grant.max_payload
        self.joined = True
        if self.kind is not LinkKind.ROUTE:
            self._account = self._plane.account(grant.account)
        self._classify()
        self._plane.connect(self, self._account)

    def fail(self, error: WireError) -> None:
        """End the link with the error's -ERR, if it has one."""
        if self.closed is not None:
            return
        if error.wire is not None:
            self.send_error(error.wire)
        self.close(error.reason)
        self._handler.on_protocol_error(self._session, error)

    def close(self, reason: ClosedReason) -> None:
        """Forget what the peer wanted, and its input; output already queued can still be taken."""
        if self.closed is not None:
            return
        self.closed = reason
        self._held = False
        self._rest = b""
        self._classify()
        self._plane.disconnect(self)
        for entry in self._interests.values():
            entry.account.unsubscribe(entry)

    def dispose(self) -> None:
        """Let go of all that leads back here."""
        self._interests.clear()
        self.owner = None
        self._handler = _nobody

    def landing(self) -> None:
        """Nowhere: every read goes through :meth:`feed`."""

    def landed(self, n_bytes: int) -> None:
        """Nothing lands."""

    def take_stalled(self) -> list[Any]:
        """Nobody is to be waited for."""
        return []

    # ---- what is wanted here

    def weight_of(self, account: str, subject: bytes, queue: bytes | None) -> int:
        """How much the peer itself wants of this."""
        entry = self._interests.get((account, subject, queue))
        weight: int = entry.weight if entry is not None else 0
        return weight

    def tell(self, account: str, subject: bytes, queue: bytes | None, weight: int) -> None:
        """Tell the peer that so many want this now; 0 for nobody."""
        permissions = self._grant.permissions
        if permissions is not None and not self._takes_any(subject) and not permissions.may_publish(subject):
            return
        verb = _EXCHANGE[self.kind][0 if weight else 1]
        args = b"%b %b" % (account.encode(), subject) if self.kind is LinkKind.ROUTE else subject
        if queue is not None:
            args += b" %b %d" % (queue, weight) if weight else b" %b" % queue
        if self._tracing:
            self._handler.on_trace(self._session, Arrow.OUT, verb, args)
        self.write(b"%b %b\r\n" % (verb, args))

    # ---- bytes in

    def _carry_out(self, data: bytes) -> int:
        """Handle whole operations; returns where the first unfinished one begins."""
        at, end = 0, len(data)
        self._need = 0
        try:
            while at < end and self.closed is None and not self._held:
                if self.joined:
                    at = self._take_whole(data, at)
                    if at == end or self.closed is not None:
                        break
                after = self._operation(data, at)
                if after < 0:
                    break
                at = after
        except WireError as error:
            self.fail(error)
            return end
        return at

    def _operation(self, data: bytes, at: int) -> int:
        """Handle the operation at ``at``; returns where the next begins, or -1 when it has not all come yet."""
        line_end = data.find(b"\n", at, at + self._max_line + 2)
        if line_end < 0:
            if len(data) - at > self._max_line:
                raise grammar.control_line_error(self._max_line)
            self._check_beginning(data[at : at + 8])
            return -1
        line = data[at:line_end].removesuffix(b"\r")
        verb, _, args = line.partition(b" ")
        verb = verb.upper()
        if verb in _TALK:
            self._talk(verb, args.strip())
        elif not self.joined or verb not in _EXCHANGE[self.kind]:
            raise wire.unknown_operation(line)
        elif verb.endswith(b"MSG"):
            return self._message(verb, args, data, at, line_end + 1)
        else:
            self._interest(verb, args)
        return line_end + 1

    def _check_beginning(self, word: bytes) -> None:
        """Refuse at once what no server says, be its line never so long."""
        verb, blank, _ = word.upper().partition(b" ")
        verbs = _TALK + _EXCHANGE[self.kind]
        if not (verb in verbs if blank else any(each.startswith(verb.removesuffix(b"\r")) for each in verbs)):
            raise wire.unknown_operation(word)

    def _talk(self, verb: bytes, args: bytes) -> None:
        handler = self._handler
        if self._tracing and verb not in (b"INFO", b"+OK"):
            handler.on_trace(self._session, Arrow.IN, verb, args)
        if verb == b"PING":
            self.pings += 1
            self.write(b"PONG\r\n")
        elif verb == b"PONG":
            handler.on_pong(self._session)
        elif verb == b"INFO":
            handler.on_info(self._session, args)
        elif verb == b"CONNECT":
            handler.on_connect(self._session, args)
        elif verb == b"-ERR":
            handler.on_peer_error(self._session, args.strip(b"'").decode("utf-8", "replace"))

    # ---- what the peer wants

    def _interest(self, verb: bytes, args: bytes) -> None:
        if self._tracing:
            self._handler.on_trace(self._session, Arrow.IN, verb, args)
        is_route = self.kind is LinkKind.ROUTE
        if verb.endswith(b"+"):
            name, subject, queue, weight = wire.parse_interest(args, names_account=is_route)
            self._learn(self._account or self._plane.account(name.decode("utf-8", "replace")), subject, queue, weight)
        else:
            name, subject, queue = wire.parse_lost_interest(args, names_account=is_route)
            of = self._account.name if self._account is not None else name.decode("utf-8", "replace")
            entry = self._interests.get((of, subject, queue))
            if entry is not None:
                # Taken out first: whoever is told of it must not find it here any more.
                del self._interests[(of, subject, queue)]
                entry.account.unsubscribe(entry)

    def _learn(self, account: Any, subject: bytes, queue: bytes | None, weight: int) -> None:
        if self.kind is not LinkKind.ROUTE:
            if subject.startswith(_SYSTEM):
                return  # each server answers for itself
            if subject.startswith(_LOOP_MARK):
                self._handler.on_loop_mark(self._session, subject)
                if self.closed is not None:
                    return
        if not subjects.is_valid(subject):
            raise WireError(ClosedReason.PROTOCOL_VIOLATION, log=f"interest in an invalid subject {go_quote(subject)}")
        permissions = self._grant.permissions
        if permissions is not None:
            takes_any = self._takes_any(subject)
            if not takes_any and not permissions.may_subscribe(subject, queue):
                shown = go_quote(subject)
                self._handler.on_violation(self._session, f"Permissions Violation for Subscription to {shown}")
                return
            if takes_any or permissions.needs_filter(subject):
                self._filtered = True
                self._classify()
        key = (account.name, subject, queue)
        entry = self._interests.get(key)
        if entry is None:
            limit = self._grant.max_subscriptions
            if 0 < limit <= len(self._interests):
                self._handler.on_violation(self._session, "maximum subscriptions exceeded")
                return
            self._interests[key] = account.learn(self, subject, queue, weight)
        elif entry.weight != weight:
            account.reweigh(entry, weight)

    def _takes_any(self, subject: bytes) -> bool:
        """Whether interest is not held to the permissions: leafnodes want patterns, and each message is judged."""
        return self.kind is not LinkKind.ROUTE and subjects.has_wildcard(subject)

    # ---- messages in

    def _message(self, verb: bytes, args: bytes, data: bytes, at: int, start: int) -> int:
        message = wire.parse_message(args, names_account=self.kind is LinkKind.ROUTE, has_header=verb == b"HMSG")
        size = message.args[-1]
        if size > self._max_payload:
            raise WireError(
                ClosedReason.MAX_PAYLOAD_EXCEEDED,
                wire="Maximum Payload Violation",
                log=f"maximum payload exceeded: {size} vs {self._max_payload}",
            )
        stop = start + size + 2
        if len(data) < stop:
            self._need = stop - at
            return -1
        if data[stop - 2 : stop] != _CRLF:
            raise wire.unknown_operation(data[stop - 2 : stop])
        if self._tracing:
            self._handler.on_trace(self._session, Arrow.IN, verb, args)
            if size:
                self._handler.on_trace_payload(self._session, Arrow.IN, data[start : stop - 2], message.args[4])
        self._pass_on(message, data[start:stop])
        return stop

    def _pass_on(self, message: LinkMessage, body: bytes) -> None:
        subject, _, _, _, _, size = message.args
        self.in_msgs += 1
        self.in_bytes += size
        permissions = self._grant.permissions
        if permissions is not None and not permissions.may_publish(subject):
            self._handler.on_violation(self._session, f"Permissions Violation for Publish to {go_quote(subject)}")
            return
        account = self._account or self._plane.find_account(message.account.decode("utf-8", "replace"))
        if account is not None:
            account.route_from(self, message.args, body, message.queues)

    # ---- messages out

    def may_send(self, subject: bytes) -> bool:
        """Whether the peer may get messages on this subject, which some interest of its reaches."""
        permissions = self._grant.permissions
        return not self._filtered or permissions is None or permissions.may_deliver(subject)


class _Nobody:
    """The handler of a link that is no more."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args: None


_nobody = cast(LinkHandler, _Nobody())
