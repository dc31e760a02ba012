"""What a log line looks like: ``[71] 2026/11/23 18:19:31.784171 [INF] Server is ready``."""

from __future__ import annotations

import os
import time
from enum import Enum

__all__ = ["Level", "LineFormat"]


class Level(Enum):
    """How much a line matters, with its label, its colour on a terminal and its severity in syslog."""

    FATAL = ("FTL", "31", 2)
    ERROR = ("ERR", "31", 3)
    WARN = ("WRN", "0;93", 4)
    INFO = ("INF", "32", 5)
    DEBUG = ("DBG", "36", 7)
    TRACE = ("TRC", "33", 5)  # nats-server sends traces as notices, which most daemons keep

    def __init__(self, label: str, colour: str, severity: int) -> None:
        self.label = label
        self.colour = colour
        self.severity = severity


class LineFormat:
    """Turns a message into a line for standard error or a file; not to be shared between threads.

    Args:
        logtime: Begin with date and time, in microseconds.
        utc: In UTC instead of local time.
        is_coloured: Colour the labels.
    """

    def __init__(self, *, logtime: bool = True, utc: bool = False, is_coloured: bool = False) -> None:
        self._pid = f"[{os.getpid()}] "
        self._logtime = logtime
        self._broken_down = time.gmtime if utc else time.localtime
        self._labels = {
            level: f"[\x1b[{level.colour}m{level.label}\x1b[0m] " if is_coloured else f"[{level.label}] "
            for level in Level
        }
        self._second = -1
        self._second_text = ""

    def line(self, level: Level, text: str) -> bytes:
        """Write one line, its newline included."""
        stamp = self._stamp() if self._logtime else ""
        return f"{self._pid}{stamp}{self._labels[level]}{text}\n".encode("utf-8", "backslashreplace")

    def _stamp(self) -> str:
        second, nanoseconds = divmod(time.time_ns(), 10**9)
        if second != self._second:  # thousands of traced lines share a second
            self._second = second
            self._second_text = time.strftime("%Y/%m/%d %H:%M:%S", self._broken_down(second))
        return f"{self._second_text}.{nanoseconds // 1000:06d} "
