"""From a server's address to a connection that the server has accepted: TCP, TLS, INFO, CONNECT, PING, PONG."""

from __future__ import annotations

import base64
import binascii
import os
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
from nacl.signing import SigningKey

from natsctl import __version__
from natsctl.bench.plan import Login, Target, Tls
from natsctl.errors import AuthError, ClosedReason, LinkError, NatsctlError, UsageError, WireError
from natsctl.protocol.documents import Connect
from natsctl.protocol.nkey import USER, encode_public

__all__ = ["Link", "open_link", "refusal"]

_MAX_LINE_BYTES = 64 * 1024
_AUTH_WORDS = ("authorization", "authentication", "permissions", "expired", "revoked")
_SEED_BYTES = 36
"""Two of prefix, 32 of seed, two of checksum."""


class _Greeting(msgspec.Struct):
    """What matters here of INFO."""

    max_payload: int = 1024 * 1024
    nonce: str = ""
    headers: bool = False
    tls_required: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A connection that is ready; its socket blocks no more."""

    socket: socket.socket
    max_payload: int
    has_headers: bool


def open_link(target: Target, turn: int) -> Link:
    """Connect to one of the servers, beginning with number ``turn`` of them.

    Raises:
        AuthError: A server refused the login.
        LinkError: No server could be reached.
    """
    failures = []
    hint = None
    for offset in range(len(target.servers)):
        url = target.servers[(turn + offset) % len(target.servers)]
        try:
            return _open(url, target)
        except OSError as error:
            failures.append(f"{url} ({_reason(error)})")
            if not isinstance(error, ssl.SSLError):  # somebody speaks TLS there
                hint = "is a server running there? 'natsctl server' starts one, -s says where it is"
        except WireError as error:
            failures.append(f"{url} ({error})")
    raise LinkError(f"cannot connect to {', '.join(failures)}", url=target.servers[0], hint=hint)


def refusal(line: bytes) -> NatsctlError | None:
    r"""Make an error of what the server said, if it is one that trying again does not help.

    Wire: ``-ERR 'Authorization Violation'\r\n``.
    """
    text = line.removeprefix(b"-ERR").strip().strip(b"'").decode(errors="replace")
    if any(word in text.lower() for word in _AUTH_WORDS):
        # What is quoted is a subject, and keeps its capitals.
        words, quote, rest = text.partition('"')
        return AuthError(words.lower() + quote + rest)
    if "maximum payload" in text.lower():
        return UsageError(text.lower())
    return None


def _open(url: str, target: Target) -> Link:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 4222
    tls = target.tls
    plain = socket.create_connection((host, port), target.timeout_s)
    link: socket.socket = plain
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls.is_first:
            link = _encrypt(plain, host, tls)
        line = _read_line(link)
        if not line.startswith(b"INFO "):
            raise _not_nats(line)
        greeting = _decode(line[5:])
        if not tls.is_first and (tls.is_required or parts.scheme == "tls" or greeting.tls_required):
            link = _encrypt(plain, host, tls)
        link.sendall(_connect_line(target, greeting) + b"PING\r\n")
        _await_pong(link)
        link.setblocking(False)
    except BaseException:
        link.close()
        raise
    return Link(link, greeting.max_payload, greeting.headers)


def _encrypt(plain: socket.socket, host: str, tls: Tls) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=tls.ca or None)
    if tls.cert:
        context.load_cert_chain(tls.cert, tls.key)
    return context.wrap_socket(plain, server_hostname=host)


def _connect_line(target: Target, greeting: _Greeting) -> bytes:
    login = target.login
    document = Connect(
        verbose=False,
        pedantic=False,
        user=login.user,
        password=login.password,
        auth_token=login.token,
        jwt=login.jwt,
        name=target.name,
        lang="python-natsctl",
        version=__version__,
        protocol=1,
        headers=greeting.headers,
        no_responders=greeting.headers,
    )
    if login.seed:
        document.nkey, document.sig = _sign(login, greeting.nonce)
    return b"CONNECT " + msgspec.json.encode(document) + b"\r\n"


def _sign(login: Login, nonce: str) -> tuple[str, str]:
    """Give the public key, unless a JWT names it, and the signature of the server's nonce."""
    try:
        raw = base64.b32decode(login.seed + "=" * (-len(login.seed) % 8))
    except binascii.Error:
        raw = b""
    if len(raw) != _SEED_BYTES:
        raise UsageError("the nkey is no user seed (SU…), or it is damaged")
    key = SigningKey(raw[2:34])
    signature = base64.urlsafe_b64encode(key.sign(nonce.encode()).signature).decode().rstrip("=")
    return "" if login.jwt else encode_public(USER, bytes(key.verify_key)), signature


def _await_pong(link: socket.socket) -> None:
    while (line := _read_line(link)) != b"PONG":
        if line.startswith(b"-ERR"):
            raise refusal(line) or WireError(ClosedReason.CLIENT_CLOSED, log=line[4:].strip(b" '").decode().lower())
        if not line.startswith((b"INFO ", b"+OK", b"PING")):
            raise _not_nats(line)


def _read_line(link: socket.socket) -> bytes:
    """Read up to CRLF and not a byte further: what follows may be a TLS handshake, or a message."""
    line = bytearray()
    while not line.endswith(b"\r\n"):
        byte = link.recv(1)
        if not byte or len(line) > _MAX_LINE_BYTES:
            raise _not_nats(bytes(line)) if line else ConnectionResetError("closed by the server")
        line += byte
    return bytes(line[:-2]).rstrip()


def _decode(document: bytes) -> _Greeting:
    try:
        return msgspec.json.decode(document, type=_Greeting)
    except (msgspec.DecodeError, RecursionError):
        raise _not_nats(document) from None


def _not_nats(line: bytes) -> WireError:
    return WireError(ClosedReason.PARSE_ERROR, log=f"not a NATS server: it says {line[:60]!r}")


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {(error.reason or str(error)).lower().replace('_', ' ')}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
    return text.lower()
