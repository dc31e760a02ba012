"""The pure engine: the reference data plane, in plain Python.

Follow a message: :meth:`PureSession.feed` cuts the bytes into operations, :meth:`PureSession._publish` asks the
account's sublist who is interested, and each delivery lands in a receiver's outbox, from where the broker takes it.

Source: nats-server ``parser.go`` and ``client.go`` (processInboundClientMsg, processMsgResults, deliverMsg).
"""

from __future__ import annotations

from collections.abc import Iterator
from random import randrange
from typing import Any

from natsctl.engine import grammar
from natsctl.engine.api import Arrow, Delivery, Grant, Handler, Limits, SubscriptionView
from natsctl.engine.grammar import PublishArgs
from natsctl.engine.outbox import Outbox
from natsctl.engine.sublist import Sublist
from natsctl.errors import ClosedReason, WireError
from natsctl.protocol import subject as subjects

__all__ = ["PureEngine", "PureInternalSession", "PureSession"]

_OK = b"+OK\r\n"
_PONG = b"PONG\r\n"
_CRLF = b"\r\n"
_DOLLAR, _UNDERSCORE = b"$_"
_RESERVED_PUBLISH = (b"_GR_.", b"$GR.", b"$NRG.")
_RESERVED_REPLY = (b"_R_.", b"_GR_.", b"$GR.", b"$JS.ACK.")
_MAX_OPEN_REPLIES = 4096
_match_pub = grammar.PUB.match
_match_hpub = grammar.HPUB.match


class _Subscription:
    """One SUB of one session; ``max_msgs`` 0 has no end."""

    __slots__ = ("delivered", "max_msgs", "queue", "session", "sid", "subject")

    def __init__(
        self, session: PureSession | PureInternalSession, subject: bytes, queue: bytes | None, sid: bytes
    ) -> None:
        self.session = session
        self.subject = subject
        self.queue = queue
        self.sid = sid
        self.delivered = 0
        self.max_msgs = 0


class _Account:
    """A subject space."""

    __slots__ = ("name", "sublist")

    def __init__(self, name: str, cache_size: int) -> None:
        self.name = name
        self.sublist: Sublist[_Subscription] = Sublist(cache_size)


class _Message:
    """A publish on its way to its receivers, rendered at most once in each form.

    Attributes:
        body: Payload with its headers and the closing CRLF, as received.
    """

    __slots__ = ("_full_tail", "_plain_tail", "args", "body", "source", "subject")

    def __init__(self, source: PureSession | None, args: PublishArgs, body: bytes) -> None:
        self.source = source
        self.args = args
        self.subject = args.subject
        self.body = body
        self._full_tail = b""
        self._plain_tail = b""

    def frame(self, sid: bytes, with_headers: bool) -> tuple[bytes, int]:
        """Render for one receiver; returns the bytes and how many of them count as payload."""
        args = self.args
        if args.header_size > 0 and with_headers:
            if not self._full_tail:
                reply = args.reply + b" " if args.reply else b""
                self._full_tail = b" %b%b %b\r\n%b" % (reply, args.header_text, args.size_text, self.body)
            return b"HMSG %b %b%b" % (self.subject, sid, self._full_tail), args.size
        size = args.size - max(args.header_size, 0)
        if not self._plain_tail:
            reply = args.reply + b" " if args.reply else b""
            # Without headers the size goes out as the publisher wrote it ("007"); cut to its payload it is new.
            text = args.size_text if args.header_size <= 0 else b"%d" % size
            self._plain_tail = b" %b%b\r\n%b" % (reply, text, self.body[max(args.header_size, 0) :])
        return b"MSG %b %b%b" % (self.subject, sid, self._plain_tail), size


class PureSession(Outbox):
    """One client. See :class:`natsctl.engine.api.Session` for the public face."""

    __slots__ = (
        "_account",
        "_announced",
        "_engine",
        "_filtered",
        "_grant",
        "_held",
        "_need",
        "_ping_watch",
        "_replies",
        "_rest",
        "_simple",
        "_stall_mark",
        "_stalled_by",
        "_subs",
        "_tracing",
        "account",
        "closed",
        "granted",
        "in_bytes",
        "in_msgs",
        "out_bytes",
        "out_msgs",
        "owner",
        "pings",
        "stalls",
    )

    def __init__(self, engine: PureEngine, owner: Any, grant: Grant | None) -> None:
        super().__init__()
        self._engine = engine
        self.owner = owner
        self.granted = grant is not None
        self._grant = grant or Grant(max_payload=-1)
        self.account = self._grant.account
        self._account = engine.account(self.account)
        self._subs: dict[bytes, _Subscription] = {}
        self._rest = bytearray()
        self._need = 0
        self._announced = False  # the control line of a message still coming in was already handled
        self._held = False
        self._ping_watch = False
        self._tracing = False
        self._filtered = False
        self._replies: dict[bytes, list[float]] | None = None
        self._stalled_by: dict[PureSession, None] | None = None
        self._stall_mark = engine.limits.max_pending // 4 * 3
        self._simple = False
        self.closed: ClosedReason | None = None
        self.in_msgs = self.in_bytes = self.out_msgs = self.out_bytes = 0
        self.pings = self.stalls = 0
        self._apply_grant()

    # ---- what the broker decides

    @property
    def tracing(self) -> bool:
        """Whether the handler hears of each line and payload."""
        return self._tracing

    @tracing.setter
    def tracing(self, on: bool) -> None:
        self._tracing = on
        self._classify()

    @property
    def held(self) -> bool:
        """Whether input waits for the broker's answer to a CONNECT."""
        return self._held

    def grant(self, grant: Grant) -> None:
        """Accept the CONNECT: subscriptions made before are dropped, held input goes on."""
        self._drop_subscriptions()
        self._grant = grant
        self.granted = True
        self._filtered = False
        self._replies = None
        self._ping_watch = True
        self.account = grant.account
        self._account = self._engine.account(grant.account)
        self._apply_grant()
        if self._held:
            self._held = False
            self._ok()
            self.feed(b"")

    def _apply_grant(self) -> None:
        permissions = self._grant.permissions
        if permissions is not None and permissions.responses is not None:
            self._replies = {}
        self._classify()

    def _classify(self) -> None:
        # A simple receiver takes any message without headers as it comes: nothing to ask, nothing to remember.
        self._simple = self._grant.echo and not (self._filtered or self._tracing or self._replies is not None)

    def fail(self, error: WireError) -> None:
        """End the session with the error's -ERR, if it has one."""
        if self.closed is not None:
            return
        if error.wire is not None:
            self.send_error(error.wire)
        self.close(error.reason)
        self._engine.handler.on_protocol_error(self, error)

    def close(self, reason: ClosedReason) -> None:
        """Forget the session and its subscriptions; output already queued can still be taken."""
        if self.closed is not None:
            return
        self.closed = reason
        self._held = False
        self._rest = bytearray()
        self._drop_subscriptions()

    def write(self, line: bytes) -> None:
        """Queue a protocol line of the broker's."""
        if self.closed is not None:
            return
        self._enqueue(line)
        if self.pending_bytes > self._engine.limits.max_pending:
            self._press()

    def send_error(self, text: str) -> None:
        """Queue ``-ERR '<text>'``."""
        if self._tracing:
            self._engine.handler.on_trace(self, Arrow.OUT, b"-ERR", text.encode())
        self.write(b"-ERR '%b'\r\n" % text.encode())

    def _ok(self) -> None:
        if self._grant.verbose and self.closed is None:
            if self._tracing:
                self._engine.handler.on_trace(self, Arrow.OUT, b"OK", b"")
            self.write(_OK)

    def _violate(self, wire: str, log: str) -> None:
        self.send_error(wire)
        self._engine.handler.on_violation(self, log)

    # ---- bytes in

    def feed(self, data: bytes) -> None:
        """Take in bytes as they arrived, cut anywhere."""
        if self.closed is not None:
            return
        known = len(self._rest)
        if known:
            self._rest += data
            if known + len(data) < self._need:
                return
            data = bytes(self._rest)
            self._rest = bytearray()
        try:
            end = self._run(data, known)
        except WireError as error:
            self.fail(error)
            return
        if end < len(data) and self.closed is None:
            self._rest = bytearray(memoryview(data)[end:])

    def _run(self, data: bytes, known: int) -> int:
        """Handle every whole operation; returns where the first unfinished one begins."""
        at, end = 0, len(data)
        self._need = 0
        while at < end and self.closed is None and not self._held:
            if not self.granted and data[at] not in b"Cc":
                self._engine.handler.on_unauthenticated(self)
                if not self.granted:
                    break
            found = _match_pub(data, at)
            if found is not None and not (self._announced or self._grant.pedantic or self._tracing):
                subject, reply, size_text = found.groups()
                start = found.end()
                size = int(size_text)
                stop = start + size + 2
                if stop <= end and data[stop - 2 : stop] == _CRLF and self._fits(start - at, size):
                    self._publish(PublishArgs(subject, reply or b"", b"", size_text, -1, size), data[start:stop])
                    at = stop
                    continue
            after = self._operation(data, at, known)
            if after < 0:
                break
            at = after
        return at

    def _fits(self, line_size: int, size: int) -> bool:
        limit = self._grant.max_payload
        return line_size <= self._engine.limits.max_control_line and (limit < 0 or size <= limit)

    def _operation(self, data: bytes, at: int, known: int) -> int:
        """Handle the operation at ``at``; returns where the next begins, or -1 when it has not all come yet."""
        scanned = grammar.scan_verb(data, at, known)
        limit = self._engine.limits.max_control_line
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
        handler = self._engine.handler
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
            text = args.decode("utf-8", "replace")
            raise WireError(ClosedReason.PARSE_ERROR, log=f"Client Error {text}")

    def _connect(self, document: bytes) -> None:
        # A CONNECT is always a hold: grant() ends it, here or when the broker has decided.
        self._held = True
        self._engine.handler.on_connect(self, document)

    def _ping(self) -> None:
        self.pings += 1
        if self._tracing:
            self._engine.handler.on_trace(self, Arrow.OUT, b"PONG", b"")
        self.write(_PONG)
        if self._ping_watch:
            self._ping_watch = False
            self._engine.handler.on_ping(self)

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
        max_tokens = self._engine.limits.max_sub_tokens
        shown = subject.decode("utf-8", "replace")
        if max_tokens and subject.count(b".") + 1 > max_tokens:
            self._violate(
                f'Permissions Violation for Subscription to "{shown}", too many tokens',
                f'Subscription Violation Too Many Tokens - Subject "{shown}", SID {sid.decode("utf-8", "replace")}',
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
            sub = _Subscription(self, subject, queue, sid)
            self._subs[sid] = sub
            self._account.sublist.insert(sub)
            if permissions is not None and not self._filtered and permissions.needs_filter(subject):
                self._filtered = True
                self._classify()
        self._ok()

    def _refuse_subscription(self, subject: bytes, queue: bytes | None, sid: bytes) -> None:
        shown, number = subject.decode("utf-8", "replace"), sid.decode("utf-8", "replace")
        group = "" if queue is None else queue.decode("utf-8", "replace")
        using = f' using queue "{group}"' if queue is not None else ""
        named = f', Queue: "{group}"' if queue is not None else ""
        self._violate(
            f'Permissions Violation for Subscription to "{shown}"{using}',
            f'Subscription Violation - Subject "{shown}"{named}, SID {number}',
        )

    def _unsubscribe(self, sid: bytes, max_msgs: int) -> None:
        sub = self._subs.get(sid)
        if sub is not None:
            if max_msgs > sub.delivered:
                sub.max_msgs = max_msgs
            else:
                self._remove(sub)
        self._ok()

    def _remove(self, sub: _Subscription) -> None:
        del self._subs[sub.sid]
        self._account.sublist.remove(sub)
        if self._tracing:
            self._engine.handler.on_trace(self, Arrow.INTERNAL, b"DELSUB", sub.sid)

    def _drop_subscriptions(self) -> None:
        for sub in tuple(self._subs.values()):
            self._remove(sub)

    # ---- messages in

    def _message(self, verb: bytes, args: bytes, data: bytes, start: int, at: int, known: int) -> int:
        """Handle PUB or HPUB; ``start`` is where the payload begins. Returns as :meth:`_operation`."""
        publish = grammar.parse_pub(args) if verb == b"PUB" else self._parse_hpub(verb, args)
        if not self._announced:
            self._announce(verb, args, publish)
        stop = start + publish.size
        tail = data[stop : stop + 2]
        if tail[:1] not in (b"", b"\r"):
            raise grammar.unknown_operation(data, stop, grammar.PAYLOAD_CR_STATE, known)
        if tail[1:] not in (b"", b"\n"):
            raise grammar.unknown_operation(data, stop + 1, grammar.PAYLOAD_LF_STATE, known)
        if len(tail) < 2:
            self._announced = True
            self._need = stop + 2 - at
            return -1
        self._announced = False
        body = data[start : stop + 2]
        if self._tracing and publish.size:
            self._engine.handler.on_trace_payload(self, Arrow.IN, body[:-2], max(publish.header_size, 0))
        self._publish(publish, body)
        return stop + 2

    def _parse_hpub(self, verb: bytes, args: bytes) -> PublishArgs:
        if not (self._engine.limits.headers and self._grant.headers):
            if self._tracing:
                self._engine.handler.on_trace(self, Arrow.IN, verb, args)
            raise WireError(ClosedReason.PROTOCOL_VIOLATION, log="message headers not supported")
        return grammar.parse_hpub(args)

    def _announce(self, verb: bytes, args: bytes, publish: PublishArgs) -> None:
        """Do what happens on the control line, before the payload has come."""
        if self._tracing:
            self._engine.handler.on_trace(self, Arrow.IN, verb, args)
        limit = self._grant.max_payload
        if 0 <= limit < publish.size:
            raise WireError(
                ClosedReason.MAX_PAYLOAD_EXCEEDED,
                wire="Maximum Payload Violation",
                log=f"maximum payload exceeded: {publish.size} vs {limit}",
            )
        if self._grant.pedantic and not subjects.is_valid_literal(publish.subject):
            self.send_error("Invalid Publish Subject")

    def _publish(self, args: PublishArgs, body: bytes) -> None:
        """Route one message of this client."""
        self.in_msgs += 1
        self.in_bytes += args.size
        grant = self._grant
        subject, reply = args.subject, args.reply
        if (grant.permissions is not None or subject[0] in (_DOLLAR, _UNDERSCORE)) and not self._may_publish(subject):
            shown = subject.decode("utf-8", "replace")
            log = f'Publish Violation - Subject "{shown}"'
            self._violate(f'Permissions Violation for Publish to "{shown}"', log)
            return
        if reply and reply[0] in (_DOLLAR, _UNDERSCORE) and reply.startswith(_RESERVED_REPLY) and reply != b"$JS.ACK.":
            shown = reply.decode("utf-8", "replace")
            log = f'Publish Violation - Reply "{shown}"'
            self._violate(f'Permissions Violation for Publish with Reply of "{shown}"', log)
            return
        if grant.verbose:
            self._ok()
        reached = self._engine.route(self._account, _Message(self, args, body))
        if not reached and reply and grant.no_responders:
            self._no_responders(subject, reply)

    def _may_publish(self, subject: bytes) -> bool:
        if subject.startswith(_RESERVED_PUBLISH) and subject not in _RESERVED_PUBLISH[:2]:
            return False
        permissions = self._grant.permissions
        return permissions is None or permissions.may_publish(subject) or self._may_answer(subject)

    def _no_responders(self, subject: bytes, reply: bytes) -> None:
        for sub in self._account.sublist.match(reply).plain:
            if sub.session is self:
                status = b"NATS/1.0 503\r\nNats-Subject: %b\r\n\r\n" % subject
                self.write(b"HMSG %b %b %d %d\r\n%b\r\n" % (reply, sub.sid, len(status), len(status), status))
                return

    # ---- the right to answer

    def _may_answer(self, subject: bytes) -> bool:
        if self._replies is None:
            return False
        window = self._replies.get(subject)
        if window is None:
            return False
        responses = self._grant.permissions.responses if self._grant.permissions is not None else None
        assert responses is not None
        window[0] += 1
        used_up = 0 < responses.max_msgs < window[0]
        if used_up or 0 < responses.expires_s < self._engine.now - window[1]:
            del self._replies[subject]
            return False
        return True

    def _may_be_answered(self, reply: bytes) -> None:
        replies = self._replies
        assert replies is not None
        if len(replies) >= _MAX_OPEN_REPLIES and reply not in replies:
            del replies[next(iter(replies))]
        replies[reply] = [0, self._engine.now]

    # ---- messages out

    def deliver(self, sub: _Subscription, message: _Message) -> bool:
        """Take a message for one of the session's subscriptions; False when it must not or cannot have it."""
        engine, grant = self._engine, self._grant
        if self.closed is not None or (message.source is self and not grant.echo):
            return False
        if self._filtered:
            permissions = grant.permissions
            if permissions is not None and not permissions.may_deliver(message.subject):
                return False
        if self.pending_bytes > self._stall_mark and not self._admit_over_mark(message.source):
            return False
        frame, n_bytes = message.frame(sub.sid, grant.headers)
        sub.delivered += 1
        if sub.delivered == sub.max_msgs:
            self._remove(sub)
        if self._replies is not None and message.args.reply:
            self._may_be_answered(message.args.reply)
        if self._tracing:
            self._trace_delivery(message, sub, frame)
        self.out_msgs += 1
        self.out_bytes += n_bytes
        self._enqueue(frame)
        if self.pending_bytes > engine.limits.max_pending:
            self._press()
        return True

    def _trace_delivery(self, message: _Message, sub: _Subscription, frame: bytes) -> None:
        handler = self._engine.handler
        line, _, body = frame.partition(_CRLF)
        verb, _, args = line.partition(b" ")
        handler.on_trace(self, Arrow.OUT, verb, args)
        if len(body) > 2:
            header_size = max(message.args.header_size, 0) if verb == b"HMSG" else 0
            handler.on_trace_payload(self, Arrow.OUT, body[:-2], header_size)

    def _enqueue(self, data: bytes) -> None:
        if not self._pieces:
            self._engine.touched.append(self)
        self._pieces.append(data)
        self.pending_bytes += len(data)

    def _admit_over_mark(self, source: PureSession | None) -> bool:
        """Let a message in although the receiver is over its stall mark, unless it is to be dropped."""
        self._engine.handler.on_pressure(self)
        if source is None or self.pending_bytes <= self._stall_mark:
            return True
        if self._engine.limits.drop_instead_of_stall:
            return False
        if source._stalled_by is None:
            source._stalled_by = {}
        if self not in source._stalled_by:
            source._stalled_by[self] = None
            source.stalls += 1
        return True

    def _press(self) -> None:
        handler = self._engine.handler
        handler.on_pressure(self)
        if self.pending_bytes > self._engine.limits.max_pending:
            self.close(ClosedReason.SLOW_CONSUMER_PENDING_BYTES)
            handler.on_slow_consumer(self)
            self.drop_output()

    def take_stalled(self) -> list[PureSession]:
        """The receivers over their stall mark that this session fed since the last call."""
        stalled = list(self._stalled_by or ())
        self._stalled_by = None
        return stalled

    def is_over_stall_mark(self) -> bool:
        """Whether senders should wait for this session."""
        return self.closed is None and self.pending_bytes > self._stall_mark


class PureInternalSession:
    """A peer inside the broker. See :class:`natsctl.engine.api.InternalSession`."""

    __slots__ = ("_account", "_engine", "_inbox")

    def __init__(self, engine: PureEngine, account: _Account) -> None:
        self._engine = engine
        self._account = account
        self._inbox: list[Delivery] = []

    def subscribe(self, subject: bytes, queue: bytes | None = None) -> None:
        """Receive messages on a subject."""
        self._account.sublist.insert(_Subscription(self, subject, queue, b""))

    def publish(self, subject: bytes, payload: bytes, *, reply: bytes = b"", header: bytes = b"") -> int:
        """Send a message; returns how many subscriptions it reached."""
        size = len(header) + len(payload)
        args = PublishArgs(subject, reply, b"%d" % len(header), b"%d" % size, len(header) or -1, size)
        return self._engine.route(self._account, _Message(None, args, header + payload + _CRLF))

    def deliver(self, sub: _Subscription, message: _Message) -> bool:
        """Take a message."""
        if not self._inbox:
            self._engine.touched_internal.append(self)
        cut = max(message.args.header_size, 0)
        body = message.body[:-2]
        self._inbox.append(Delivery(message.subject, message.args.reply, body[:cut], body[cut:], message.source))
        return True

    def take(self) -> list[Delivery]:
        """The messages that came since the last call."""
        taken, self._inbox = self._inbox, []
        return taken


class PureEngine:
    """Accounts, their sublists, and the way from a publish to its deliveries."""

    name = "pure"

    def __init__(self, handler: Handler, limits: Limits) -> None:
        self.handler = handler
        self.limits = limits
        self.now = 0.0
        self.touched: list[PureSession] = []
        self.touched_internal: list[PureInternalSession] = []
        self._accounts: dict[str, _Account] = {}

    def account(self, name: str) -> _Account:
        """The subject space of that name, made on first use."""
        account = self._accounts.get(name)
        if account is None:
            account = self._accounts[name] = _Account(name, self.limits.cache_size)
        return account

    def open(self, owner: Any, grant: Grant | None) -> PureSession:
        """Open a client session; without a grant it must CONNECT first."""
        return PureSession(self, owner, grant)

    def open_internal(self, account: str) -> PureInternalSession:
        """Open a session of the broker itself in an account."""
        return PureInternalSession(self, self.account(account))

    def collect(self) -> list[PureSession]:
        """The client sessions with new output since the last call."""
        touched, self.touched = self.touched, []
        return touched

    def collect_internal(self) -> list[PureInternalSession]:
        """The internal sessions with new messages since the last call."""
        touched, self.touched_internal = self.touched_internal, []
        return touched

    def n_subscriptions(self, account: str | None = None) -> int:
        """Subscriptions in one account, or in all."""
        if account is not None:
            return self._accounts[account].sublist.count if account in self._accounts else 0
        return sum(each.sublist.count for each in self._accounts.values())

    def route(self, account: _Account, message: _Message) -> int:
        """Deliver to every plain subscription and to one random member of each queue group; returns how many."""
        plain, queues = account.sublist.match(message.subject)
        reached = 0
        for sub in plain:
            if sub.session.deliver(sub, message):
                reached += 1
        for members in queues:
            n_members = len(members)
            first = randrange(n_members) if n_members > 1 else 0
            for index in range(n_members):
                sub = members[(first + index) % n_members]
                if sub.session.deliver(sub, message):
                    reached += 1
                    break
        return reached
