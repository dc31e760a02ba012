"""Names for addresses: reverse lookups that nothing waits for."""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
import time
from collections.abc import Callable

__all__ = ["ReverseLookups"]

TTL_S = 600.0
FAILED_TTL_S = 60.0
MAX_ENTRIES = 8_192
MAX_WAITING = 256
MAX_NAME = 253
WORKERS = 4


def _resolve(ip: str) -> str:
    return socket.gethostbyaddr(ip)[0]


class ReverseLookups:
    """A cache of host names that fills itself in the background.

    Bounds: 8,192 names, 256 addresses waiting, 4 threads. A name is looked up anew after 10 minutes, an address without
    one after a minute.

    Args:
        resolve: Finds the name of an address, or raises OSError.

    Task: :meth:`name_of` is called from one thread; the lookups run in threads of their own, which do not keep the
    process alive when a resolver hangs.
    """

    def __init__(self, resolve: Callable[[str], str] = _resolve) -> None:
        self._resolve = resolve
        self._names: dict[str, tuple[str | None, float]] = {}
        self._waiting: queue.Queue[str | None] = queue.Queue(MAX_WAITING)
        self._asked: set[str] = set()
        self._lock = threading.Lock()
        self._started = False

    def name_of(self, ip: str) -> str | None:
        """The name of an address as far as it is known; if it is not, looking it up begins."""
        with self._lock:
            name, expires = self._names.get(ip, (None, 0.0))
            if time.monotonic() < expires or ip in self._asked or not _is_address(ip):
                return name
            try:
                self._waiting.put_nowait(ip)
            except queue.Full:  # asked for again with the next draw of the screen
                return name
            self._asked.add(ip)
            if not self._started:
                self._started = True
                for number in range(WORKERS):
                    threading.Thread(target=self._work, name=f"reverse lookup {number}", daemon=True).start()
        return name

    def close(self) -> None:
        """Let the threads end after the lookups they are at."""
        with self._lock:
            if not self._started:
                return
            while True:
                try:
                    self._waiting.get_nowait()
                except queue.Empty:
                    break
            for _ in range(WORKERS):
                self._waiting.put_nowait(None)

    def _work(self) -> None:
        while (ip := self._waiting.get()) is not None:
            try:
                name = _clean(self._resolve(ip))
            except (OSError, UnicodeError):
                name = None
            with self._lock:
                self._names.pop(ip, None)
                self._names[ip] = (name, time.monotonic() + (TTL_S if name else FAILED_TTL_S))
                self._asked.discard(ip)
                while len(self._names) > MAX_ENTRIES:
                    del self._names[next(iter(self._names))]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _clean(name: str) -> str | None:
    """A name as it may be shown: whoever owns an address chooses its name."""
    if not 0 < len(name) <= MAX_NAME or not all(char.isascii() and (char.isalnum() or char in "-_.:") for char in name):
        return None
    return name
