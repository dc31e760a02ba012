"""Where lines go: the interface, and what standard error and files have in common."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod

from natsctl.broker.logs.line import Level, LineFormat

__all__ = ["DescriptorSink", "Sink"]


class Sink(ABC):
    """A place for lines. Losing one never raises: a log that fails must not stop a broker."""

    @abstractmethod
    def write(self, level: Level, text: str) -> None:
        """Take one message, free of control characters."""

    def reopen(self) -> bool:
        """Open the log file again; False when there is none.

        Raises:
            ServerError: It cannot be opened; the sink goes on with the old one.
        """
        return False

    def close(self) -> None:
        """Let go of what the sink holds; lines written afterwards are lost."""
        return None


class DescriptorSink(Sink):
    """Lines to a file descriptor, each with one call to write(2), so that lines of several processes do not mix.

    Lines lost to a full disk are counted; the next one that can be written is preceded by their number.

    Args:
        descriptor: Open for writing.
        line_format: How the lines look.
    """

    def __init__(self, descriptor: int, line_format: LineFormat) -> None:
        self._descriptor = descriptor
        self._format = line_format
        self._lock = threading.Lock()
        self._n_lost = 0
        self._is_torn = False

    def write(self, level: Level, text: str) -> None:
        """Append one line."""
        with self._lock:
            self._append(level, text)

    def _append(self, level: Level, text: str) -> int:
        lines = self._format.line(level, text)
        if self._n_lost:
            lines = self._format.line(Level.WARN, f"{self._n_lost} log lines lost") + lines
        if self._is_torn:
            lines = b"\n" + lines
        written = 0
        try:
            while written < len(lines):
                written += os.write(self._descriptor, lines[written:])
        except OSError:
            self._n_lost += 1
            self._is_torn = self._is_torn or written > 0
        else:
            self._n_lost, self._is_torn = 0, False
        return written
