"""A connection that is opened once, fails once, and says why.

nats-py reports what goes wrong later (a refused subject, a lost server) through callbacks. Here the first such failure
is kept, and everything that waits on the connection raises it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from nats import errors as nats_errors
from nats.aio.client import DEFAULT_INBOX_PREFIX
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from natsctl.errors import AuthError, LinkError, NatsctlError, UsageError
from natsctl.ops.client import RepeatedHeaders, RobustClient
from natsctl.ops.credentials import connect_arguments, wants_tls
from natsctl.ops.message import header_block_size
from natsctl.ops.settings import Settings
from natsctl.protocol.subject import is_valid, is_valid_literal

__all__ = ["Connection", "Notice", "connect"]

T = TypeVar("T")
Notice = Callable[[str], None]
"""Takes a line about the connection, such as that it was lost and is back."""

_RECONNECT_WAIT_S = 1.0
_AUTH_WORDS = ("authorization violation", "authorization failed", "authentication")
_PERMISSIONS = re.compile(r'permissions violation for (publish|subscription)[^"]*"([^"]*)"(.*)')
_ERRNO = re.compile(r"\[Errno (\d+)\]")
_BLANK = re.compile(r"[ \t\r\n\f]")
"""Ends a word of a control line: with one in a subject, the rest would be read as something else."""
_MAX_SPELLINGS = 1024


@contextlib.asynccontextmanager
async def connect(
    settings: Settings, *, reconnect: bool = False, notice: Notice = lambda _: None, tls_hostname: str | None = None
) -> AsyncIterator[Connection]:
    """Connect to the first server that takes us, and close at the end.

    Args:
        settings: Where to and who as.
        reconnect: When the connection is lost, look for a server for ever instead of failing.
        notice: Told what happens to the connection.
        tls_hostname: Name to expect in the server's certificate when the address is not that name.

    Raises:
        AuthError: A server is there, and refuses us.
        LinkError: No server answers.
    """
    connection = Connection(settings.completed(), reconnect=reconnect, notice=notice)
    try:
        await connection.open(tls_hostname)
        yield connection
    finally:
        await connection.close()


class Connection:
    """One connection to a server; `connect` makes it.

    Task: all methods are called on one event loop.
    """

    def __init__(self, settings: Settings, *, reconnect: bool, notice: Notice) -> None:
        self._settings = settings
        self._arguments = connect_arguments(settings)
        if settings.inbox_prefix and not _is_literal(settings.inbox_prefix):
            raise UsageError(f'invalid inbox prefix "{settings.inbox_prefix}"')
        self._client = RobustClient(wants_tls=wants_tls(settings), has_certificate=bool(settings.tls_cert))
        self._reconnect = reconnect
        self._notice = notice
        self._is_connecting = False
        self._is_open = False
        self._refusals: list[Exception] = []
        self._failure: NatsctlError | None = None
        self._failed = asyncio.Event()
        self._spelling: dict[str, str] = {}

    async def open(self, tls_hostname: str | None = None) -> None:
        """Connect; every server is tried once, in the order given.

        Raises:
            AuthError: A server is there, and refuses us.
            LinkError: No server answers.
        """
        self._is_connecting = True
        try:
            await self._client.connect(
                servers=list(self._settings.servers or ()),
                name=self._settings.connection_name,
                inbox_prefix=self._settings.inbox_prefix or DEFAULT_INBOX_PREFIX,
                connect_timeout=self._settings.timeout_s,  # type: ignore[arg-type]  # nats-py says int, and takes float
                tls_hostname=tls_hostname,
                dont_randomize=True,
                max_reconnect_attempts=-1,
                reconnect_time_wait=_RECONNECT_WAIT_S,  # type: ignore[arg-type]  # the same
                error_cb=self._on_error,
                disconnected_cb=self._on_disconnected,
                reconnected_cb=self._on_reconnected,
                closed_cb=self._on_closed,
                **self._arguments,
            )
        except _Refused:
            raise self._describe_refusals() from None
        except ValueError:  # nats-py splits and limits the first lines without a safety net
            raise LinkError(f"{', '.join(self._settings.servers or ())} does not speak the NATS protocol") from None
        finally:
            self._is_connecting = False
        # nats-py tries the next server only when it may reconnect, so this is decided after the first connection.
        self._client.options["allow_reconnect"] = self._reconnect
        self._is_open = True

    async def close(self) -> None:
        """Send what is still waiting and close; closing twice does no harm."""
        self._is_open = False
        with contextlib.suppress(nats_errors.Error, OSError):
            await self._client.close()

    @property
    def is_up(self) -> bool:
        """Whether there is a server at the other end right now."""
        return self._client.is_connected

    @property
    def max_payload(self) -> int:
        """Bytes that headers and body of a message may have together."""
        return self._client.max_payload

    @property
    def timeout_s(self) -> float:
        """Longest wait for an acknowledgement or a reply."""
        return self._settings.timeout_s or 0.0

    def new_inbox(self) -> str:
        """Make a subject for replies that nobody else uses."""
        return self._client.new_inbox()

    async def publish(
        self, subject: str, body: bytes = b"", *, reply: str = "", headers: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        """Send one message; `flush` tells whether the server took it.

        Raises:
            UsageError: The subject cannot be published to.
            NatsctlError: The message is larger than the server takes, or the connection has failed before.
        """
        self.raise_failure()
        if not _is_literal(subject):
            raise UsageError(f'invalid subject "{subject}" to publish to')
        if reply and not _is_literal(reply):
            raise UsageError(f'invalid reply subject "{reply}"')
        size = len(body) + header_block_size(headers or {})
        if size > self.max_payload:
            raise NatsctlError(f"payload of {size} bytes exceeds max_payload {self.max_payload} of the server")
        if headers and not self._client.has_headers:
            raise NatsctlError("the server does not support headers")
        self._remember_spelling(subject)
        with self._translated():
            await self._client.publish(subject, body, reply, RepeatedHeaders(headers) if headers else None)

    async def subscribe(
        self, subject: str, receive: Callable[[Msg], Awaitable[None]], *, queue: str = "", max_msgs: int = 0
    ) -> Subscription:
        """Subscribe; the server ends the subscription by itself after ``max_msgs`` messages, if that is not 0.

        Raises:
            UsageError: The subject or the queue group is none.
        """
        self.raise_failure()
        if _BLANK.search(subject) or not is_valid(subject.encode(errors="replace")):
            raise UsageError(f'invalid subject "{subject}" to subscribe to')
        if queue and not _is_literal(queue):
            raise UsageError(f'invalid queue group "{queue}"')
        self._remember_spelling(subject)
        with self._translated():
            subscription = await self._client.subscribe(subject, queue, cb=receive)
            if max_msgs:
                await subscription.unsubscribe(max_msgs)
        return subscription

    async def flush(self) -> None:
        """Wait until the server has handled everything sent so far.

        Raises:
            AuthError: It refused some of it.
            LinkError: It did not answer in time.
        """
        with self._translated():
            await self.guard(self._client.flush(self.timeout_s))  # type: ignore[arg-type]  # takes float
        self.raise_failure()

    async def rtt(self) -> float:
        """Measure one PING and PONG; seconds."""
        with self._translated():
            return await self.guard(self._client.rtt(self.timeout_s))  # type: ignore[arg-type]  # takes float

    async def guard(self, work: Awaitable[T]) -> T:
        """Wait for something, but no longer than the connection lives.

        Raises:
            NatsctlError: Why the connection failed.
        """
        wanted = asyncio.ensure_future(work)
        failed = asyncio.ensure_future(self._failed.wait())
        try:
            await asyncio.wait((wanted, failed), return_when=asyncio.FIRST_COMPLETED)
            if not wanted.done():
                self.raise_failure()
            return await wanted
        finally:
            failed.cancel()
            wanted.cancel()

    def raise_failure(self) -> None:
        """Raise why the connection failed, if it did."""
        if self._failure is not None:
            raise self._failure

    def _fail(self, error: NatsctlError) -> None:
        self._failure = self._failure or error
        self._failed.set()

    async def _on_error(self, error: Exception) -> None:
        text = str(error)
        if self._is_connecting:
            self._refusals.append(error)
            if len(self._refusals) >= len(self._settings.servers or ()):
                raise _Refused from error
        elif refused := _PERMISSIONS.search(text):
            self._fail(self._describe_permission(refused))
        elif _is_auth(text):
            self._fail(AuthError(_plain(text)))

    async def _on_disconnected(self) -> None:
        if self._is_open and self._reconnect:
            self._notice("disconnected; looking for a server")

    async def _on_reconnected(self) -> None:
        url = self._client.connected_url
        self._notice(f"reconnected to {url.netloc if url else 'a server'}; what was sent meanwhile did not arrive")

    async def _on_closed(self) -> None:
        if self._is_open:
            error = self._client.last_error
            text = _plain(str(error)) if error else "the server closed it"
            self._fail(AuthError(text) if _is_auth(text) else LinkError(f"connection lost: {text}"))

    def _describe_refusals(self) -> NatsctlError:
        """Say in one error why no server was good; a refusal of credentials is the most telling one."""
        for error in self._refusals:
            if _is_auth(str(error)):
                return AuthError(_plain(str(error)))
        servers = self._settings.servers or ()
        reasons = ", ".join(f"{url} ({_reason(e)})" for url, e in zip(servers, self._refusals, strict=False))
        is_silent = any(isinstance(e, OSError) and not isinstance(e, ssl.SSLError) for e in self._refusals)
        hint = "is a server running there? 'natsctl server' starts one, -s says where it is" if is_silent else None
        return LinkError(f"cannot connect to {reasons}", url=servers[0], hint=hint)

    def _describe_permission(self, refused: re.Match[str]) -> AuthError:
        verb = "publish to" if refused[1] == "publish" else "subscribe to"
        subject = self._spelling.get(refused[2], refused[2])
        return AuthError(f'permissions violation: not allowed to {verb} "{subject}"{refused[3].rstrip(chr(39))}')

    def _remember_spelling(self, subject: str) -> None:
        """Keep how a subject is written: nats-py hands on what the server says in lower case."""
        if subject != (lower := subject.lower()) and len(self._spelling) < _MAX_SPELLINGS:
            self._spelling[lower] = subject

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Raise errors of nats-py as ours; the reason the connection failed comes before its consequences."""
        try:
            yield
        except nats_errors.TimeoutError:
            self.raise_failure()
            raise LinkError(f"the server did not answer within {self.timeout_s:g} s") from None
        except nats_errors.BadSubjectError:
            raise UsageError("nats-py takes * and > as whole tokens only") from None
        except (nats_errors.Error, OSError) as error:
            self.raise_failure()
            raise LinkError(f"connection lost: {_reason(error)}") from None


class _Refused(Exception):
    """Ends the connecting of nats-py, which would go round the servers for ever; never leaves this module."""


def _is_literal(subject: str) -> bool:
    return not _BLANK.search(subject) and is_valid_literal(subject.encode(errors="replace"))


def _is_auth(text: str) -> bool:
    return any(word in text.lower() for word in _AUTH_WORDS)


def _plain(text: str) -> str:
    """Strip what nats-py and the wire put around an error's words."""
    return text.removeprefix("nats: ").strip("'").lower()


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {(error.reason or str(error)).lower().replace('_', ' ')}"
    if isinstance(error, TimeoutError) and not str(error):
        return "no answer in time"
    if isinstance(error, OSError):
        number = error.errno or next(map(int, _ERRNO.findall(str(error))), 0)
        return (os.strerror(number) if number > 0 else error.strerror or str(error)).lower()
    return _plain(str(error))
