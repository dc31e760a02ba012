"""A client session: bytes cut into operations, operations carried out.

Source: nats-server ``parser.go`` and ``client.go`` (processConnect, processSub, processUnsub, processInboundClientMsg).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from natsctl.engine import grammar
from natsctl.engine.api import Arrow, Grant, SubscriptionView
from natsctl.engine.grammar import PublishArgs
from natsctl.engine.interest import Origin
from natsctl.errors import ClosedReason, WireError
from natsctl.protocol import subject as subjects
from natsctl.protocol.quote import go_quote

__all__ = ["ClientSession"]

_PONG = b"PONG\r\n"
_RESERVED_FIRST = b"$_"
_RESERVED_PUBLISH = (b"_GR_.", b"$GR.", b"$NRG.")
_RESERVED_REPLY = (b"_R_.", b"_GR_.", b"$GR.", b"$JS.ACK.")


def _shown(data: bytes) -> str:
    return data.decode("utf-8", "replace")


class ClientSession:
    """The talking half of a client session: its operations, one at a time.

    Each engine joins it to a receiving half of its own (``write``, ``_apply``, ``_remove`` …), keeps cut operations
    (``feed``) and finds whole publishes (``_take_whole``) its own way, and has its own accounts. See
    :class:`natsctl.engine.api.Session` for the public face.
    """

    if not TYPE_CHECKING:  # the joined class has the slots
        __slots__ = ()
    else:  # what the other half brings
        _account: Any
        _fluent: bool
        _filtered: bool
        _grant: Grant
        _is_forgotten: bool
        _plane: Any
        _subs: dict[bytes, Any]
        _tracing: bool
        closed: ClosedReason | None

        _announced: bool
        """Whether the control line of a message still coming in was already handled."""
        _held: bool
        _introduced: bool
        """Whether the broker has decided about it since it was opened."""
        _need: int
        _ping_watch: bool
        _rest: bytes | bytearray
        """What has come of an unfinished operation; a bytearray while a large payload is awaited."""
        granted: bool
        in_bytes: int
        in_msgs: int
        pings: int

        write: Callable[[bytes], None]
        send_error: Callable[[str], None]
        _ok: Callable[[], None]
        _apply: Callable[[Grant], None]
        _classify: Callable[[], None]
        _remove: Callable[[Any], None]
        _drop_subscriptions: Callable[[], None]
        _may_answer: Callable[[bytes], bool]
        _forget: Callable[[ClosedReason], None]
        _take_whole: Callable[[bytes, int], int]
        _drop_input: Callable[[], None]
        feed: Callable[[bytes | memoryview], None]

    origin = Origin.CLIENT

    def _begin(self, granted: bool) -> None:
        self.granted = granted
        self._rest = b""
        self._need = 0
        self._announced = self._held = self._introduced = self._ping_watch = False
        self.in_msgs = self.in_bytes = self.pings = 0

    # ---- what the broker decides

    @property
    def held(self) -> bool:
        """Whether input waits for the broker's answer to a CONNECT."""
        return self._held

    def grant(self, grant: Grant) -> None:
        """Accept the CONNECT: held input goes on; subscriptions of another CONNECT or account are dropped."""
        if self.closed is not None:
            return
        if self._introduced or grant.account != self._grant.account:
            self._drop_subscriptions()
        if not self._introduced:
            self._introduced = self._ping_watch = True
        self._apply(grant)
        self.granted = True
        if self._held:
            self._held = False
            self._ok()
            self.feed(b"")

    def regrant(self, grant: Grant) -> list[SubscriptionView]:
        """Replace the grant by another one in the same account; returns the subscriptions that it ended."""
        ended = []
        self._apply(grant)
        permissions = grant.permissions
        if permissions is not None:
            for sub in tuple(self._subs.values()):
                if not permissions.may_subscribe(sub.subject, sub.queue):
                    ended.append(SubscriptionView(sub.subject, sub.queue, sub.sid, sub.delivered, sub.max_msgs))
                    self._remove(sub)
                elif permissions.needs_filter(sub.subject):
                    self._filtered = True
            self._classify()
        return ended

    def fail(self, error: WireError) -> None:
        """End the session with the error's -ERR, if it has one."""
        if self.closed is not None:
            return
        if error.wire is not None:
            self.send_error(error.wire)
        self.close(error.reason)
        self._plane.handler.on_protocol_error(self, error)

    def close(self, reason: ClosedReason) -> None:
        """Forget the session, its subscriptions and its input; output already queued can still be taken."""
        if not self._is_forgotten:
            self._forget(reason)
            self._held = False
            self._drop_input()

    def _violate(self, wire: str, log: str) -> None:
        self.send_error(wire)
        self._plane.handler.on_violation(self, log)

    # ---- bytes in

    def _carry_out(self, data: bytes, known: int) -> int:
        """Handle whole operations; returns where the first unfinished one begins.

        Args:
            data: The bytes, perhaps from a place within a read on.
            known: How many of them came with earlier reads; negative when bytes of this read were handled before.
        """
        try:
            return self._run(data, known)
        except WireError as error:
            self.fail(error)
            return len(data)

    def _run(self, data: bytes, known: int) -> int:
        at, end = 0, len(data)
        self._need = 0
        while at < end and self.closed is None and not self._held:
            if not self.granted and data[at] not in b"Cc":
                self._plane.handler.on_unauthenticated(self)
                if not self.granted:
                    break
            if self._fluent and not self._announced:
                # The usual case, whole and faultless PUBs and HPUBs; whatever comes then, _operation knows.
                at = self._take_whole(data, at)
                if at == end or self.closed is not None:
                    break
            after = self._operation(data, at, known)
            if after < 0:
                break
            at = after
        return at

    def _operation(self, data: bytes, at: int, known: int) -> int:
        """Handle the operation at ``at``; returns where the next begins, or -1 when it has not all come yet."""
        scanned = grammar.scan_verb(data, at, known)
        limit = self._plane.limits.max_control_line
        if scanned is None:
            if len(data) - at > limit:
                raise grammar.control_line_error(limit)
            return -1
        verb, begin = scanned
        takes_args = verb not in (b"PING", b"PONG", b"+OK")
        # nats-server looks for the line end only behind the first byte of the arguments, even if that is one.
        line_end = data.find(b"\n", begin + takes_args)
        args = data[begin : line_end if line_end >= 0 else len(data)]
        if takes_args and b"\r" in args[1:]:
            args = args[:-1]
        if len(args) > limit:
            raise grammar.control_line_error(limit)
        if line_end < 0:
            return -1
        if verb in (b"PUB", b"HPUB"):
            return self._message(verb, args, data, line_end + 1, at, known)
        if verb == b"HMSG":
            raise grammar.unknown_operation(data, len(data), grammar.PAYLOAD_CR_STATE, known)
        self._line(verb, args)
        return line_end + 1

    def _line(self, verb: bytes, args: bytes) -> None:
        handler = self._plane.handler
        if self._tracing and verb not in (b"INFO", b"+OK", b"-ERR"):
            handler.on_trace(self, Arrow.IN, verb, args if verb not in (b"PING", b"PONG") else b"")
        if verb == b"SUB":
            self._subscribe(*grammar.parse_sub(args))
        elif verb == b"UNSUB":
            self._unsubscribe(*grammar.parse_unsub(args))
        elif verb == b"PING":
            self._ping()
        elif verb == b"PONG":
            handler.on_pong(self)
        elif verb == b"CONNECT":
            self._connect(args)
        elif verb == b"INFO":
            handler.on_info(self, args)
        elif verb == b"-ERR":
            raise WireError(ClosedReason.PARSE_ERROR, log=f"Client Error {_shown(args)}")

    def _connect(self, document: bytes) -> None:
        # A CONNECT is always a hold: grant() ends it, here or when the broker has decided.
        self._held = True
        self._plane.handler.on_connect(self, document)

    def _ping(self) -> None:
        self.pings += 1
        if self._tracing:
            self._plane.handler.on_trace(self, Arrow.OUT, b"PONG", b"")
        self.write(_PONG)
        if self._ping_watch:
            self._ping_watch = False
            self._plane.handler.on_ping(self)

    # ---- subscriptions

    @property
    def n_subscriptions(self) -> int:
        """Subscriptions held now."""
        return len(self._subs)

    def subscriptions(self) -> Iterator[SubscriptionView]:
        """The subscriptions held now, oldest first."""
        for sub in self._subs.values():
            yield SubscriptionView(sub.subject, sub.queue, sub.sid, sub.delivered, sub.max_msgs)

    def _subscribe(self, subject: bytes, queue: bytes | None, sid: bytes) -> None:
        permissions = self._grant.permissions
        if permissions is not None and not permissions.may_subscribe(subject, queue):
            self._refuse_subscription(subject, queue, sid)
            return
        max_tokens = self._plane.limits.max_sub_tokens
        if max_tokens and subject.count(b".") + 1 > max_tokens:
            self._violate(
                f"Permissions Violation for Subscription to {go_quote(subject)}, too many tokens",
                f"Subscription Violation Too Many Tokens - Subject {go_quote(subject)}, SID {_shown(sid)}",
            )
            return
        limit = self._grant.max_subscriptions
        if limit > 0 and len(self._subs) >= limit:
            self._violate("maximum subscriptions exceeded", "maximum subscriptions exceeded")
            return
        if sid not in self._subs:
            if not subjects.is_valid(subject):
                self.send_error("Invalid Subject")
                return
            sub = self._account.subscribe(self, subject, queue, sid)
            try:
                self._subs[sid] = sub
            except BaseException:  # there may be no memory to say so properly
                self._account.unsubscribe(sub)
                raise
            if permissions is not None and not self._filtered and permissions.needs_filter(subject):
                self._filtered = True
                self._classify()
        self._ok()

    def _refuse_subscription(self, subject: bytes, queue: bytes | None, sid: bytes) -> None:
        using = f" using queue {go_quote(queue)}" if queue is not None else ""
        named = f", Queue: {go_quote(queue)}" if queue is not None else ""
        self._violate(
            f"Permissions Violation for Subscription to {go_quote(subject)}{using}",
            f"Subscription Violation - Subject {go_quote(subject)}{named}, SID {_shown(sid)}",
        )

    def _unsubscribe(self, sid: bytes, max_msgs: int) -> None:
        sub = self._subs.get(sid)
        if sub is not None:
            if max_msgs > sub.delivered:
                sub.max_msgs = max_msgs
            else:
                self._remove(sub)
        self._ok()

    # ---- messages in

    def _message(self, verb: bytes, args: bytes, data: bytes, start: int, at: int, known: int) -> int:
        """Handle PUB or HPUB; ``start`` is where the payload begins. Returns as :meth:`_operation`."""
        publish = grammar.parse_pub(args) if verb == b"PUB" else self._parse_hpub(verb, args)
        if not self._announced:
            self._announce(verb, args, publish)
        _, _, _, _, header_size, size = publish
        stop = start + size
        tail = data[stop : stop + 2]
        if tail[:1] not in (b"", b"\r"):
            raise grammar.unknown_operation(data, stop, grammar.PAYLOAD_CR_STATE, known)
        if tail[1:] not in (b"", b"\n"):
            raise grammar.unknown_operation(data, stop + 1, grammar.PAYLOAD_LF_STATE, known)
        if len(tail) < 2:
            self._announced = True
            self._need = stop + len(tail) + 1 - at  # the very next byte may already be wrong
            return -1
        self._announced = False
        if self._tracing and size:
            self._plane.handler.on_trace_payload(self, Arrow.IN, data[start:stop], header_size)
        self._publish(publish, data[start : stop + 2])
        return stop + 2

    def _parse_hpub(self, verb: bytes, args: bytes) -> PublishArgs:
        if not self._grant.headers:
            if self._tracing:
                self._plane.handler.on_trace(self, Arrow.IN, verb, args)
            raise WireError(ClosedReason.PROTOCOL_VIOLATION, log="message headers not supported")
        return grammar.parse_hpub(args)

    def _announce(self, verb: bytes, args: bytes, publish: PublishArgs) -> None:
        """Do what happens on the control line, before the payload has come."""
        if self._tracing:
            self._plane.handler.on_trace(self, Arrow.IN, verb, args)
        subject, _, _, _, _, size = publish
        limit = self._grant.max_payload
        if 0 <= limit < size:
            raise WireError(
                ClosedReason.MAX_PAYLOAD_EXCEEDED,
                wire="Maximum Payload Violation",
                log=f"maximum payload exceeded: {size} vs {limit}",
            )
        if self._grant.pedantic and not subjects.is_valid_literal(subject):
            self.send_error("Invalid Publish Subject")

    def _publish(self, args: PublishArgs, body: bytes) -> None:
        """Route one message of this client; the body ends in CRLF."""
        subject, reply, _, _, _, size = args
        self.in_msgs += 1
        self.in_bytes += size
        grant = self._grant
        if not self._admits_publish(subject, reply):
            return
        if grant.verbose:
            self._ok()
        if not self._account.route(self, args, body) and reply and grant.no_responders:
            self._tell_no_responders(subject, reply)

    def _admits_publish(self, subject: bytes, reply: bytes) -> bool:
        """Whether the message may go its way; the client is told if not."""
        guarded = self._grant.permissions is not None or subject[0] in _RESERVED_FIRST
        if guarded and not self._may_publish(subject):
            shown = go_quote(subject)
            self._violate(f"Permissions Violation for Publish to {shown}", f"Publish Violation - Subject {shown}")
            return False
        if reply and reply.startswith(_RESERVED_REPLY) and reply != b"$JS.ACK.":
            shown = go_quote(reply)
            log = f"Publish Violation - Reply {shown}"
            self._violate(f"Permissions Violation for Publish with Reply of {shown}", log)
            return False
        return True

    def _may_publish(self, subject: bytes) -> bool:
        if subject.startswith(_RESERVED_PUBLISH) and subject not in _RESERVED_PUBLISH[:2]:
            return False
        permissions = self._grant.permissions
        return permissions is None or permissions.may_publish(subject) or self._may_answer(subject)

    def _tell_no_responders(self, subject: bytes, reply: bytes) -> None:
        for sub in self._account.plain_subscriptions(reply):
            if sub.session is self:
                status = b"NATS/1.0 503\r\nNats-Subject: %b\r\n\r\n" % subject
                self.write(b"HMSG %b %b %d %d\r\n%b\r\n" % (reply, sub.sid, len(status), len(status), status))
                return
