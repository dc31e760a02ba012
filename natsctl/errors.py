"""Every error natsctl raises on purpose, each with the exit code a shell script sees.

::

    NatsctlError                 exit 1    hint
    ├─ UsageError                exit 2    a value on the command line that cannot be meant
    ├─ ConfigError               exit 1    problems: file, line, column, message (as nats-server: exit 1)
    │  └─ ReloadError            exit 1    option: it changes only with a restart
    ├─ ServerError               exit 1    the broker cannot start or go on
    ├─ EngineError               exit 1    the engine asked for is not available
    ├─ WireError                 exit 4    wire, log, reason: a peer broke the protocol
    ├─ AuthError                 exit 5    credentials or permissions refused
    ├─ LinkError                 exit 6    url: no connection, or it was lost
    ├─ RequestError              exit 1
    │  ├─ NoResponders           exit 7    subject
    │  └─ RequestTimeout         exit 8    subject, timeout_s, received
    ├─ Shortfall                 exit 9    expected, received: fewer messages came than were asked for
    ├─ BenchError                exit 10   a benchmark lost messages, or could not be carried through
    └─ CertificateError          exit 11   a certificate has expired, soon will, or would be refused

A class exists only where someone catches it, or where it has its own exit code or its own text on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

__all__ = [
    "AuthError",
    "BenchError",
    "CertificateError",
    "ClosedReason",
    "ConfigError",
    "EngineError",
    "LinkError",
    "NatsctlError",
    "NoResponders",
    "Problem",
    "ReloadError",
    "RequestError",
    "RequestTimeout",
    "ServerError",
    "Shortfall",
    "UsageError",
    "WireError",
]


class ClosedReason(Enum):
    """Why a connection was closed, in the words nats-server uses in ``/connz?state=closed``."""

    CLIENT_CLOSED = "Client Closed"
    AUTHENTICATION_TIMEOUT = "Authentication Timeout"
    AUTHENTICATION_FAILURE = "Authentication Failure"
    TLS_HANDSHAKE_FAILURE = "TLS Handshake Failure"
    SLOW_CONSUMER_PENDING_BYTES = "Slow Consumer (Pending Bytes)"
    SLOW_CONSUMER_WRITE_DEADLINE = "Slow Consumer (Write Deadline)"
    WRITE_ERROR = "Write Error"
    READ_ERROR = "Read Error"
    PARSE_ERROR = "Parse Error"
    STALE_CONNECTION = "Stale Connection"
    PROTOCOL_VIOLATION = "Protocol Violation"
    BAD_CLIENT_PROTOCOL_VERSION = "Bad Client Protocol Version"
    MAX_CONNECTIONS_EXCEEDED = "Maximum Connections Exceeded"
    MAX_ACCOUNT_CONNECTIONS_EXCEEDED = "Maximum Account Connections Exceeded"
    MAX_PAYLOAD_EXCEEDED = "Maximum Message Payload Exceeded"
    MAX_CONTROL_LINE_EXCEEDED = "Maximum Control Line Exceeded"
    MAX_SUBSCRIPTIONS_EXCEEDED = "Maximum Subscriptions Exceeded"
    SERVER_SHUTDOWN = "Server Shutdown"
    MISSING_ACCOUNT = "Missing Account"
    HEADER_VIOLATION = "Message Header Violation"
    NO_RESPONDERS_REQUIRES_HEADERS = "No Responders Requires Headers"
    INCORRECT_PORT = "Incorrect Port"
    WRONG_GATEWAY = "Wrong Gateway"
    DUPLICATE_ROUTE = "Duplicate Route"
    ROUTE_REMOVED = "Route Removed"
    CLUSTER_NAME_CONFLICT = "Cluster Name Conflict"
    DUPLICATE_SERVER_NAME = "Duplicate Server Name"
    DUPLICATE_LEAFNODE = "Duplicate Remote LeafNode Connection"
    CLUSTER_NAMES_IDENTICAL = "Cluster Names Identical"
    MINIMUM_VERSION_REQUIRED = "Minimum Version Required"


class NatsctlError(Exception):
    """Base of all errors a command reports in one line.

    Attributes:
        exit_code: What the command exits with when this error ends it.
        hint: One line that says what to do, or None.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(NatsctlError):
    """A command line that parses but cannot be meant."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding in a configuration file.

    Units: ``line`` and ``column`` count from 1; 0 means the finding has no place in a file (a flag, a whole file).
    """

    message: str
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.file:
            return self.message
        if not self.line:
            return f"{self.file}: {self.message}"
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class ConfigError(NatsctlError):
    """A configuration that cannot be used; carries every problem found, in file order."""

    def __init__(self, problems: list[Problem] | tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class ReloadError(ConfigError):
    """A change that a running broker cannot take over; nothing else was changed either.

    Attributes:
        option: The option, as nats-server calls it.
    """

    def __init__(self, option: str, old: str, new: str) -> None:
        super().__init__([Problem(f"config reload not supported for {option}: old={old}, new={new}")])
        self.option = option


class ServerError(NatsctlError):
    """The broker cannot start or go on: a port in use, a file that cannot be written."""


class EngineError(NatsctlError):
    """The engine asked for is absent, or not of this version."""


class WireError(NatsctlError):
    """A peer broke the protocol, and its connection ends.

    Attributes:
        reason: Kept with the closed connection.
        wire: Text between the quotes of ``-ERR '...'``, or None when the peer is closed without a word.
        log: Text for the error log, or None when there is nothing to say there.
    """

    exit_code = 4

    def __init__(self, reason: ClosedReason, *, wire: str | None = None, log: str | None = None) -> None:
        super().__init__(log or wire or reason.value)
        self.reason = reason
        self.wire = wire
        self.log = log


class AuthError(NatsctlError):
    """Credentials or permissions were refused."""

    exit_code = 5


class LinkError(NatsctlError):
    """There is no connection to the server, or it was lost.

    Attributes:
        url: Where to, without credentials.
    """

    exit_code = 6

    def __init__(self, message: str, *, url: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.url = url


class RequestError(NatsctlError):
    """A request got no usable answer."""


class NoResponders(RequestError):
    """Nobody is subscribed to the subject of a request."""

    exit_code = 7

    def __init__(self, subject: str) -> None:
        super().__init__(f'no responders for "{subject}"')
        self.subject = subject


class RequestTimeout(RequestError):
    """The deadline passed before enough replies came.

    Units: ``timeout_s`` in seconds; ``received`` counts replies.
    """

    exit_code = 8

    def __init__(self, subject: str, timeout_s: float, received: int = 0) -> None:
        super().__init__(f'no reply on "{subject}" within {timeout_s:g} s')
        self.subject = subject
        self.timeout_s = timeout_s
        self.received = received


class Shortfall(NatsctlError):
    """Fewer messages came, or could be taken, than were asked for.

    Units: ``expected`` and ``received`` count messages.
    """

    exit_code = 9

    def __init__(self, message: str, *, expected: int, received: int) -> None:
        super().__init__(message)
        self.expected = expected
        self.received = received


class BenchError(NatsctlError):
    """A benchmark lost messages, or one of its processes."""

    exit_code = 10


class CertificateError(NatsctlError):
    """A certificate has expired, soon will, or would be refused."""

    exit_code = 11
