"""What went wrong between here and a monitoring port, in words: the trouble, and what to try."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import httpx

from natsctl.errors import LinkError, NatsctlError, UsageError
from natsctl.monitoring.address import DEFAULT_PORT

__all__ = ["explain_answer", "explain_failure", "explain_status", "printable"]

GREETING_TIMEOUT_S = 0.5
MAX_SENTENCE = 200

_CERTIFICATE_HINTS = {
    10: "renew the certificate of the server, and check the clocks",
    18: "name the certificate itself as CA with -cacert, or trust any with -k",
    19: "name the CA that issued the certificate",
    20: "name the CA that issued the certificate",
    21: "name the CA that issued the certificate",
    62: "use a host name that the certificate holds",
    64: "use an address that the certificate holds",
}
"""Verification codes of OpenSSL (X509_V_ERR) that an operator can do something about."""


def printable(text: str, limit: int = MAX_SENTENCE) -> str:
    """Shorten what a peer said to one line that is safe to print."""
    line = " ".join(text.split())
    line = "".join(char if char.isprintable() else "?" for char in line)
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


async def explain_failure(url: str, error: httpx.HTTPError) -> LinkError:
    """Explain why no answer came at all; asks the port once more whether it is one that speaks first.

    Args:
        url: The base URL.
        error: What httpx says.
    """
    causes = list(_causes(error))
    where = _where(url)
    greeting = await _greeting(url) if _may_greet(error, causes) else b""
    if greeting.startswith(b"INFO {"):
        return _client_port(url)
    if greeting:
        said = printable(greeting.decode("utf-8", "replace"), 40)
        hint = f"check host and port; monitoring is usually port {DEFAULT_PORT}"
        return LinkError(f'{where} does not speak HTTP: it begins with "{said}"', url=url, hint=hint)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            hint = _CERTIFICATE_HINTS.get(cause.verify_code, "check the certificate of the server")
            reason = cause.verify_message.rstrip(".")
            return LinkError(f"the certificate of {where} is not trusted: {reason}", url=url, hint=hint)
        if isinstance(cause, ssl.SSLError):
            return _tls_failure(url, cause)
        if isinstance(cause, socket.gaierror):
            return LinkError(
                f"cannot find the host of {where}: {cause.strerror}", url=url, hint="check the name, and DNS"
            )
    return _connection_failure(url, error, causes)


def _connection_failure(url: str, error: httpx.HTTPError, causes: list[BaseException]) -> LinkError:
    where = _where(url)
    if isinstance(error, httpx.ConnectTimeout):
        return LinkError(f"{where} does not answer", url=url, hint="check the host, and firewalls on the way")
    if isinstance(error, httpx.TimeoutException):
        return LinkError(f"{where} took too long to answer", url=url, hint="the server may be overloaded")
    if isinstance(error, httpx.RemoteProtocolError):
        return _not_http(url, str(error))
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return LinkError(
            f"{where} refuses connections",
            url=url,
            hint="is the server running, and started with monitoring, by -m PORT or http_port?",
        )
    numbers = {cause.errno for cause in causes if isinstance(cause, OSError)}
    if numbers & {errno.EHOSTUNREACH, errno.ENETUNREACH}:
        return LinkError(f"there is no way to {where}", url=url, hint="check the address and the network")
    if isinstance(error, httpx.ConnectError):
        return LinkError(f"cannot connect to {where}: {printable(str(error))}", url=url)
    # A demand for a certificate comes after the handshake in TLS 1.3, and is lost where the server hangs up at once.
    demand = "the server may demand a client certificate"
    hint = demand if url.startswith("https:") else "is it a monitoring port? if it speaks TLS, use https:// or -ms PORT"
    return LinkError(f"the connection to {where} was lost", url=url, hint=hint)


def explain_status(url: str, page: str, status: int, headers: Mapping[str, str], body: bytes) -> NatsctlError:
    """Explain an answer that is not 200, with the sentence the server gave."""
    sentence = "" if _is_html(headers, body) else printable(body[:4096].decode("utf-8", "replace"))
    where = _where(url)
    if "HTTP request to an HTTPS server" in sentence or "plain HTTP request was sent to HTTPS" in sentence:
        return _speaks_tls(url)
    if 300 <= status < 400:
        target = printable(headers.get("location", ""))
        return LinkError(f"{where} redirects /{page} to {target}", url=url, hint="give the address it redirects to")
    if status == 404:
        hint = "give the http_base_path of the server, if it has one: --base-path PATH"
        return LinkError(f"{where} has no /{page} (HTTP 404)", url=url, hint=hint)
    if status in (401, 403, 407):
        return LinkError(
            f"{where} refuses /{page} (HTTP {status})", url=url, hint="is there a proxy with a login before it?"
        )
    if status == 400:
        return UsageError(f"{where} refuses the request for /{page}: {sentence or 'HTTP 400'}")
    text = f"{where} answers /{page} with HTTP {status}{f': {sentence}' if sentence else ''}"
    return LinkError(text, url=url, hint="look into the log of the server, or of a proxy before it")


def explain_answer(url: str, page: str, headers: Mapping[str, str], body: bytes, error: ValueError) -> LinkError:
    """Explain an answer that is no document."""
    where = _where(url)
    if _is_html(headers, body):
        return LinkError(
            f"{where} answers with a web page, not with a monitoring document",
            url=url,
            hint=f"check host and port; monitoring is usually port {DEFAULT_PORT}",
        )
    if not body.strip():
        return LinkError(f"{where} answers /{page} with nothing", url=url)
    if "truncated" in str(error):
        text = f"the answer to /{page} from {where} ends in the middle ({len(body)} bytes)"
        return LinkError(text, url=url, hint="the server may just have stopped")
    return LinkError(
        f"the answer to /{page} from {where} is not a monitoring document: {printable(str(error))}", url=url
    )


def _may_greet(error: httpx.HTTPError, causes: list[BaseException]) -> bool:
    return isinstance(error, (httpx.RemoteProtocolError, httpx.ReadError)) or any(
        isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLCertVerificationError) for cause in causes
    )


async def _greeting(url: str) -> bytes:
    """What a port says before it is asked, if anything: HTTP waits, the client port of a NATS server does not."""
    parts = urlsplit(url)
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(GREETING_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            try:
                return await reader.read(64)
            finally:
                writer.close()
    return b""


def _not_http(url: str, text: str) -> LinkError:
    where = _where(url)
    if "complete message body" in text or "incomplete chunked" in text:
        return LinkError(
            f"the answer from {where} ends in the middle", url=url, hint="the server may just have stopped"
        )
    if "\\x15\\x03" in text:  # a TLS alert
        return _speaks_tls(url)
    if "without sending a response" in text:
        return LinkError(
            f"{where} closes the connection without an answer",
            url=url,
            hint="if the port speaks TLS, use https:// or -ms PORT",
        )
    return LinkError(
        f"{where} does not speak HTTP",
        url=url,
        hint=f"check host and port; monitoring is usually port {DEFAULT_PORT}",
    )


def _tls_failure(url: str, error: ssl.SSLError) -> LinkError:
    where = _where(url)
    reason = (error.reason or str(error)).upper()
    if any(word in reason for word in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER", "PACKET_LENGTH")):
        return LinkError(f"{where} does not speak TLS", url=url, hint="use http:// or -m PORT")
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        return LinkError(f"{where} demands a client certificate", url=url, hint="give one with -cert and -key")
    if "ALERT" in reason:
        words = reason.replace("_", " ").lower()
        return LinkError(f"{where} refuses the TLS handshake: {words}", url=url, hint="check the client certificate")
    return LinkError(f"the TLS handshake with {where} failed: {printable(reason.replace('_', ' ').lower())}", url=url)


def _client_port(url: str) -> LinkError:
    return LinkError(
        f"{_where(url)} is the port for clients; monitoring is usually port {DEFAULT_PORT}",
        url=url,
        hint=f"try -m {DEFAULT_PORT}; the server needs -m PORT or http_port",
    )


def _speaks_tls(url: str) -> LinkError:
    return LinkError(f"{_where(url)} speaks TLS", url=url, hint="use https:// or -ms PORT")


def _where(url: str) -> str:
    return urlsplit(url).netloc


def _is_html(headers: Mapping[str, str], body: bytes) -> bool:
    return headers.get("content-type", "").startswith("text/html") or body[:256].lstrip().startswith(b"<")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Everything an error came from, also where several addresses were tried."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                yield from _causes(inner)
        error = error.__cause__ or error.__context__
