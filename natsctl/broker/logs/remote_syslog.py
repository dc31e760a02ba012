"""Records to a syslog daemon on another host.

Wire: ``<5>2026-11-23T20:11:51+01:00 host natsctl[71]: Server is ready`` and a newline, over UDP, TCP or a Unix socket.
The facility is ``kern``, because nats-server's is.

Source: Go ``log/syslog`` as nats-server 2.15 uses it.
"""

from __future__ import annotations

import socket
from datetime import datetime
from urllib.parse import urlsplit

from natsctl.broker.logs.line import Level
from natsctl.broker.logs.syslog import IO_TIMEOUT_S, SyslogSink, connect, connect_unix
from natsctl.errors import ServerError

__all__ = ["open_remote_syslog"]


def open_remote_syslog(url: str) -> SyslogSink:
    """Log to ``udp://host:port``, ``tcp://host:port`` or ``unix:///path``.

    Raises:
        ServerError: The URL is none of these, or nobody can be reached there.
    """
    address = _Address(url)
    return SyslogSink(address.connect, _remote_header)


class _Address:
    """A remote_syslog URL, read; shown without what could be a password in it."""

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname, parts.port
        except ValueError as error:
            raise ServerError("invalid remote_syslog: host or port cannot be read") from error
        self._scheme, self._path = parts.scheme, parts.path
        if self._scheme not in ("udp", "tcp", "unix"):
            raise ServerError(f'invalid remote_syslog network "{self._scheme}" (one of udp, tcp, unix)')
        if self._scheme == "unix" and not self._path:
            raise ServerError("invalid remote_syslog: missing path after unix://")
        if self._scheme != "unix" and not (self._host and self._port):
            raise ServerError(f"invalid remote_syslog: missing host or port after {self._scheme}://")

    def __str__(self) -> str:
        if self._scheme == "unix":
            return f"unix://{self._path}"
        host = f"[{self._host}]" if ":" in (self._host or "") else self._host
        return f"{self._scheme}://{host}:{self._port}"

    def connect(self) -> socket.socket:
        """Open a socket whose every operation is bounded in time.

        Raises:
            ServerError: Nobody can be reached.
        """
        try:
            if self._scheme == "unix":
                return connect_unix(self._path)
            if self._scheme == "tcp":
                return socket.create_connection((self._host, self._port), IO_TIMEOUT_S)
            family, kind, _, _, address = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)[0]
            return connect(family, kind, address)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ServerError(f"cannot connect to syslog at {self}: {reason}") from error


def _remote_header(level: Level) -> str:
    now = datetime.now().astimezone().isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"<{level.severity}>{now} {socket.gethostname()}"
