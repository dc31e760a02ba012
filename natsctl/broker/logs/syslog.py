"""Records to a syslog daemon, delivered by a thread of their own, and the local daemon's address and format.

Wire: ``<29>Nov 23 20:14:43 natsctl[71]: Server is ready`` and a newline.

Source: RFC 3164; Go ``log/syslog`` as nats-server 2.15 uses it.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from natsctl.broker.logs.line import Level
from natsctl.broker.logs.sink import Sink
from natsctl.errors import ServerError

__all__ = ["IO_TIMEOUT_S", "SyslogSink", "connect", "connect_unix", "open_syslog"]

TAG = "natsctl"
FACILITY_DAEMON = 3
LOCAL_SOCKETS = ("/dev/log", "/var/run/syslog", "/var/run/log")

IO_TIMEOUT_S = 2.0
CLOSE_TIMEOUT_S = 1.0
MAX_QUEUED = 1024
MAX_RECORD_BYTES = 8192  # what rsyslog takes unless configured otherwise; with MAX_QUEUED it bounds the memory


class SyslogSink(Sink):
    """Queues records for a thread, so that a daemon that hangs never holds up the event loop.

    Records that find the queue full, or no connection, are counted; their number follows once one gets through.

    Args:
        connect: Opens a connected socket; called again whenever the connection is lost.
        header: What a record of a level begins with, time included.
    """

    def __init__(self, connect: Callable[[], socket.socket], header: Callable[[Level], str]) -> None:
        self._connect = connect
        self._header = header
        self._socket: socket.socket | None = connect()
        self._queue: queue.Queue[bytes | None] = queue.Queue(MAX_QUEUED)
        self._n_refused = 0  # counted by the writers
        self._n_unsent = 0  # counted by the thread
        self._n_told = 0
        self._thread = threading.Thread(target=self._deliver, name="natsctl-syslog", daemon=True)
        self._thread.start()

    def write(self, level: Level, text: str) -> None:
        """Queue one record."""
        try:
            self._queue.put_nowait(self._record(level, text))
        except queue.Full:
            self._n_refused += 1

    def close(self) -> None:
        """Wait for the queue to empty, but not for a daemon that hangs."""
        with suppress(queue.Full):
            self._queue.put(None, timeout=CLOSE_TIMEOUT_S)
        self._thread.join(CLOSE_TIMEOUT_S)

    def _record(self, level: Level, text: str) -> bytes:
        record = f"{self._header(level)} {TAG}[{os.getpid()}]: {text}".encode("utf-8", "backslashreplace")
        return record[: MAX_RECORD_BYTES - 1] + b"\n"

    def _deliver(self) -> None:
        while (record := self._queue.get()) is not None:
            if not self._send(record):
                self._n_unsent += 1
                continue
            n_lost = self._n_refused + self._n_unsent
            if n_lost > self._n_told and self._send(
                self._record(Level.WARN, f"{n_lost - self._n_told} log lines lost")
            ):
                self._n_told = n_lost
        if self._socket is not None:
            self._socket.close()

    def _send(self, record: bytes) -> bool:
        for _ in range(2):  # the first failure may be old news: a daemon that was restarted meanwhile
            try:
                if self._socket is None:
                    self._socket = self._connect()
                self._socket.sendall(record)
            except (OSError, ServerError):
                if self._socket is not None:
                    self._socket.close()
                    self._socket = None
            else:
                return True
        return False


def open_syslog() -> SyslogSink:
    """Log to the daemon of this host.

    Raises:
        ServerError: No daemon listens.
    """
    return SyslogSink(_connect_local, _local_header)


def connect(family: int, kind: int, address: str | tuple[object, ...]) -> socket.socket:
    """Connect a socket whose every operation is bounded in time.

    Raises:
        OSError: Nobody listens at the address.
    """
    connection = socket.socket(family, kind)
    connection.settimeout(IO_TIMEOUT_S)
    try:
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def connect_unix(path: str) -> socket.socket:
    """Connect to a daemon's Unix socket, of the datagram or the stream kind.

    Raises:
        OSError: Nobody listens at the path.
    """
    try:
        return connect(socket.AF_UNIX, socket.SOCK_DGRAM, path)
    except OSError:
        return connect(socket.AF_UNIX, socket.SOCK_STREAM, path)


def _connect_local() -> socket.socket:
    for path in LOCAL_SOCKETS:
        with suppress(OSError):
            return connect_unix(path)
    raise ServerError(f"cannot connect to syslog: no daemon listens at {', '.join(LOCAL_SOCKETS)}")


def _local_header(level: Level) -> str:
    # ctime, unlike strftime, names months in English whatever the locale.
    return f"<{FACILITY_DAEMON * 8 + level.severity}>{time.ctime()[4:19]}"
