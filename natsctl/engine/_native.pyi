"""Types of the compiled part, for type checkers; see ``_native.pyx``."""

from typing import Any

from natsctl.engine.api import Grant, Link, LinkGrant, LinkKind, Session
from natsctl.engine.interest import Origin
from natsctl.errors import ClosedReason

class NativeSubscription:
    session: Any
    subject: bytes
    queue: bytes | None
    sid: bytes
    delivered: int
    max_msgs: int

class NativeLinkSubscription:
    account: NativeAccount
    session: Any
    subject: bytes
    queue: bytes | None
    weight: int

class NativeAccount:
    name: str
    ledger: Any
    loop_mark: bytes
    sublist: Any
    n_subscriptions: int
    def __init__(self, name: str, cache_size: int) -> None: ...
    def subscribe(self, session: Any, subject: bytes, queue: bytes | None, sid: bytes) -> NativeSubscription: ...
    def learn(self, link: Any, subject: bytes, queue: bytes | None, weight: int) -> NativeLinkSubscription: ...
    def unsubscribe(self, sub: NativeSubscription | NativeLinkSubscription) -> None: ...
    def stats(self) -> tuple[int, int, int, int, int, int, int, int]: ...
    def plain_subscriptions(self, subject: bytes) -> tuple[NativeSubscription, ...]: ...
    def route(self, source: Any, args: tuple[bytes, bytes, bytes, bytes, int, int], body: bytes) -> int: ...
    def route_from(
        self, link: Any, args: tuple[bytes, bytes, bytes, bytes, int, int], body: bytes, queues: tuple[bytes, ...]
    ) -> int: ...

class NativeCore:
    _account: Any
    _filtered: bool
    _fluent: bool
    _grant: Grant
    _is_forgotten: bool
    _max_payload: int
    _max_pending: int
    _plane: Any
    _replies: dict[bytes, list[float]] | None
    _simple: bool
    _stall_mark: int
    _stalled_by: dict[Session | Link, None] | None
    _subs: dict[bytes, Any]
    _tracing: bool
    closed: ClosedReason | None
    granted: bool
    in_bytes: int
    in_msgs: int
    out_bytes: int
    out_msgs: int
    pending_bytes: int
    pings: int
    stalls: int
    def _mirror(self) -> None: ...
    def feed(self, data: bytes | memoryview) -> None: ...
    def landing(self) -> memoryview | None: ...
    def landed(self, n_bytes: int) -> None: ...
    def has_output(self) -> bool: ...
    def take(self) -> bytes | memoryview: ...
    def compact(self) -> None: ...
    def sent(self, n_bytes: int) -> None: ...
    def drop_output(self) -> None: ...

class NativeLink:
    _account: Any
    _filtered: bool
    _grant: LinkGrant
    _held: bool
    _max_line: int
    _max_payload: int
    _max_pending: int
    _need: int
    _plane: Any
    _rest: bytes | bytearray
    _stall_mark: int
    _tracing: bool
    closed: ClosedReason | None
    in_bytes: int
    in_msgs: int
    joined: bool
    kind: LinkKind
    origin: Origin
    out_bytes: int
    out_msgs: int
    pending_bytes: int
    pings: int
    def _mirror(self) -> None: ...
    def feed(self, data: bytes | memoryview) -> None: ...
    def has_output(self) -> bool: ...
    def take(self) -> bytes | memoryview: ...
    def compact(self) -> None: ...
    def sent(self, n_bytes: int) -> None: ...
    def drop_output(self) -> None: ...
