"""What a server shows of its TLS to somebody without credentials.

A NATS server speaks first, in clear, and ordinary TLS tools cannot look behind that. Here the INFO is read and then the
handshake made; a port that keeps silent is taken for one where TLS comes first: a route, a gateway, a port for clients
with ``handshake_first``, or monitoring.
"""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from natsctl.errors import LinkError, UsageError
from natsctl.ops.settings import split_servers
from natsctl.pki.advice import Finding
from natsctl.pki.certificates import Certificate, Description, describe, load_certificates
from natsctl.pki.chain import shown_chain
from natsctl.pki.files import read_file
from natsctl.pki.verify import verify

__all__ = ["Address", "Probe", "probe", "shown_certificates"]

_GREETING_S = 1.0
"""A server that speaks first does so at once."""
_MAX_INFO_BYTES = 1 << 20
_MAX_ANSWER_BYTES = 4096
_DEMANDS = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE", "BAD_CERTIFICATE")
"""What OpenSSL calls the alerts of servers that got no certificate."""


_PAIR = re.compile(r"(?:\[[^\]]+\]|[^/\\:]+):\d{1,5}")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``HOST``, ``HOST:PORT`` or a URL.

        Raises:
            UsageError: It is none of them.
        """
        (url,) = split_servers([text]).servers or ("",)
        host, _, port = url.rpartition("://")[2].rpartition(":")
        if not host:
            raise UsageError("no address", hint="write for example localhost:4222")
        return cls(host.strip("[]"), int(port))

    @classmethod
    def of_place(cls, text: str) -> Address | None:
        """Read what may be a file or a server; None when it is a file, or looks like one.

        Raises:
            UsageError: It is a URL that cannot be one of a server.
        """
        is_server = "://" in text or (_PAIR.fullmatch(text) is not None and not os.path.lexists(text))
        return cls.parse(text) if is_server else None


@dataclass(slots=True)
class Probe:
    """What was found out.

    Attributes:
        speaks: Who is served there: ``clients``, ``routes``, ``leafnodes``, ``gateways``, ``websocket`` or
            ``monitoring``; empty when it did not say.
        software: Version and name of the server, where it says them.
        is_first: Whether TLS comes before INFO.
        version: Of TLS; empty without a handshake.
        suite: Of ciphers.
        demands_certificate: Whether a client must show a certificate.
        chain: The certificates it showed, its own first.
        objections: What a client told to connect to this host objects to.
    """

    host: str
    port: int
    speaks: str = ""
    software: str = ""
    is_first: bool = False
    version: str = ""
    suite: str = ""
    demands_certificate: bool = False
    chain: list[Description] = field(default_factory=list)
    objections: list[Finding] = field(default_factory=list)


def probe(address: Address, now: datetime, *, name: str = "", ca: Path | None = None, timeout_s: float = 5.0) -> Probe:
    """Look at a server.

    Args:
        address: Where it listens.
        now: The time.
        name: Name that clients know it by; the host without.
        ca: CAs that clients trust; those of the system without.
        timeout_s: Longest wait for a connection and for each answer.

    Raises:
        LinkError: Nobody answers, or somebody who speaks something else.
        NatsctlError: The CA file holds no certificate, or the server shows a malformed one.
    """
    roots = load_certificates(read_file(ca), str(ca)) if ca is not None else []
    host, port = address.host, address.port
    found = Probe(host, port)
    chain = _chain_of(found, name or host, timeout_s)
    if chain:
        found.chain = [describe(certificate) for certificate in chain]
        # With roots of its own choosing all but the trust is checked; that is asked of OpenSSL.
        found.objections += verify(chain, roots or chain, now, purpose="server", hosts=[name or host])
        if ca is None:
            found.objections += _ask_system(host, port, found.is_first, timeout_s)
    return found


def shown_certificates(address: Address, *, timeout_s: float = 5.0) -> tuple[Certificate, ...]:
    """Give the certificates that a server shows, its own first.

    Args:
        address: Where it listens.
        timeout_s: Longest wait for a connection and for each answer.

    Raises:
        LinkError: Nobody answers, or not with certificates.
        NatsctlError: The server shows a malformed one.
    """
    found = Probe(address.host, address.port)
    chain = _chain_of(found, address.host, timeout_s)
    if not chain:
        raise LinkError(f"{address} shows no certificate", url=str(address))
    return chain


def _chain_of(found: Probe, name: str, timeout_s: float) -> tuple[Certificate, ...]:
    """Go as far as a server lets somebody without credentials; empty when it offers no TLS."""
    with _connect(found.host, found.port, timeout_s) as plain:
        info = _greeting(plain, found)
        plain.settimeout(timeout_s)
        if info and not (info.get("tls_required") or info.get("tls_available")):
            found.objections.append(Finding("the server offers no TLS", "give it a tls block"))
            return ()
        shown = _handshake(plain, found, name)
    return tuple(load_certificates(der, f"{found.host}:{found.port}")[0] for der in shown)


def _connect(host: str, port: int, timeout_s: float) -> socket.socket:
    try:
        return socket.create_connection((host, port), timeout_s)
    except OSError as error:
        raise LinkError(f"cannot connect to {host}:{port}: {_reason(error)}", url=f"{host}:{port}") from None


def _greeting(plain: socket.socket, found: Probe) -> dict[str, Any]:
    """Read INFO to its end and not a byte further; empty when the server waits for us."""
    plain.settimeout(_GREETING_S)
    line = bytearray()
    try:
        while not line.endswith(b"\n"):
            byte = plain.recv(1)
            if not byte or len(line) > _MAX_INFO_BYTES:
                raise _stranger(found, line)
            line += byte
    except TimeoutError:
        if line:
            raise _stranger(found, line) from None
        found.is_first = True
        return {}
    except OSError as error:
        raise LinkError(f"{found.host}:{found.port} broke off: {_reason(error)}") from None
    if not line.startswith(b"INFO "):
        raise _stranger(found, line)
    return _introduce(found, bytes(line))


def _introduce(found: Probe, line: bytes) -> dict[str, Any]:
    try:
        info = json.loads(line[5:])
    except (ValueError, RecursionError):
        raise _stranger(found, line) from None
    if not isinstance(info, dict):
        raise _stranger(found, line)
    found.speaks = _kind(info)
    found.software = " ".join(str(info[key]) for key in ("version", "server_name") if info.get(key))
    found.demands_certificate = bool(info.get("tls_verify"))
    return info


def _kind(info: dict[str, Any]) -> str:
    if "gateway" in info:
        return "gateways"
    if "client_id" not in info:  # routes are told of everything, of leafnodes too
        return "routes"
    return "leafnodes" if "leafnode_urls" in info else "clients"


def _stranger(found: Probe, line: bytes | bytearray) -> LinkError:
    said = f": it says {bytes(line[:40])!r}" if line else ": it closed without a word"
    return LinkError(f"{found.host}:{found.port} is no NATS server{said}", url=f"{found.host}:{found.port}")


def _handshake(plain: socket.socket, found: Probe, name: str) -> tuple[bytes, ...]:
    """Let the server show what it has; nothing is trusted, and no secret sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    tls = context.wrap_socket(plain, server_hostname=name, do_handshake_on_connect=False)
    with tls:
        try:
            tls.do_handshake()
            found.version = (tls.version() or "").removeprefix("TLSv")
            cipher = tls.cipher()
            found.suite = cipher[0] if cipher else ""
            _listen_behind(tls, found)
        except ssl.SSLError as error:
            if not any(word in (error.reason or "") for word in _DEMANDS):
                raise _no_tls(found, error) from None
            found.demands_certificate = True
        except OSError as error:
            raise _no_tls(found, error) from None
        return shown_chain(tls)


def _no_tls(found: Probe, error: OSError) -> LinkError:
    address = f"{found.host}:{found.port}"
    return LinkError(f"{address} does not speak TLS as we do: {_reason(error)}", url=address)


def _listen_behind(tls: ssl.SSLSocket, found: Probe) -> None:
    """Wait for what comes after the handshake: INFO, an alert that asks for a certificate, or nothing.

    Raises:
        ssl.SSLError: The alert.
    """
    tls.settimeout(_GREETING_S)
    data = b""
    with suppress(TimeoutError, ConnectionError):
        while found.is_first and not data.endswith(b"\n") and len(data) <= _MAX_INFO_BYTES:
            if not (chunk := tls.recv(_MAX_INFO_BYTES)):
                return
            data += chunk
        if not found.is_first:
            tls.recv(1)
    if data.startswith(b"INFO "):
        _introduce(found, data)
    elif found.is_first:
        _ask_for_page(tls, found)


def _ask_for_page(tls: ssl.SSLSocket, found: Probe) -> None:
    with suppress(TimeoutError, ConnectionError):
        tls.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
        answer = tls.recv(_MAX_ANSWER_BYTES)
        if answer.startswith(b"HTTP/"):
            found.speaks = "websocket" if b"sec-websocket-" in answer.lower() else "monitoring"


def _ask_system(host: str, port: int, is_first: bool, timeout_s: float) -> list[Finding]:
    """Say whether a program that trusts whom the system trusts would connect."""
    context = ssl.create_default_context()
    context.check_hostname = False  # names were looked at before
    with _connect(host, port, timeout_s) as plain:
        with suppress(TimeoutError):
            while not is_first and plain.recv(1) not in (b"\n", b""):
                pass
        try:
            with context.wrap_socket(plain, server_hostname=host):
                return []
        except ssl.SSLCertVerificationError as error:
            cure = "name the CA's file with --tlsca, here and for all clients"
            return [Finding(f"this system does not trust it: {error.verify_message}", cure)]
        except OSError:  # it wants a certificate of ours, which comes after ours was satisfied
            return []


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).lower().replace("_", " ")
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
    return text.lower()
