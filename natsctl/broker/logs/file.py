"""Lines to a file that is rotated by size and opened again on request."""

from __future__ import annotations

import os
import re
import stat
import time
from contextlib import suppress

from natsctl.broker.logs.line import Level, LineFormat
from natsctl.broker.logs.sink import DescriptorSink
from natsctl.errors import ServerError
from natsctl.protocol.quote import go_quote

__all__ = ["FileSink"]

FILE_MODE = 0o640
_BACKUP_STAMP = re.compile(r"\d{4}(\.\d\d){5}\.\d{1,9}")


class FileSink(DescriptorSink):
    """Appends to a file; one that outgrows its limit is renamed to ``<path>.YYYY.MM.DD.HH.MM.SS.nnnnnnnnn``.

    Args:
        path: The file; created with mode 0640.
        line_format: How the lines look.
        size_limit: Bytes after which the file is rotated; 0 or less never.
        max_num: Files kept, the live one included; 0 or less keeps all.

    Raises:
        ServerError: The file cannot be opened.
    """

    def __init__(self, path: str, line_format: LineFormat, *, size_limit: int = 0, max_num: int = 0) -> None:
        self._path = path
        self._size_limit = self._next_size = max(size_limit, 0)
        self._max_num = max_num
        self._size = 0
        super().__init__(self._open(), line_format)
        if 0 < self._size_limit < self._size:
            self.write(Level.INFO, "Rotating logfile...")

    def write(self, level: Level, text: str) -> None:
        """Append one line, then rotate if the file has outgrown its limit."""
        with self._lock:
            self._size += self._append(level, text)
            if self._size_limit and self._size > self._next_size:
                self._rotate()

    def reopen(self) -> bool:
        """Go on in the file that has the path now.

        Raises:
            ServerError: It cannot be opened; the old one stays in use.
        """
        with self._lock:
            self._swap(self._open())
        return True

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
            self._descriptor = -1  # a late line is lost, not written to whoever gets the number next

    def _open(self) -> int:
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, FILE_MODE)
        except OSError as error:
            raise ServerError(f"cannot open log file {go_quote(os.fsencode(self._path))}: {_reason(error)}") from error
        status = os.fstat(descriptor)
        self._size = status.st_size
        if not stat.S_ISREG(status.st_mode):
            self._size_limit = 0  # /dev/stdout must not be renamed
        return descriptor

    def _swap(self, descriptor: int) -> None:
        old, self._descriptor = self._descriptor, descriptor
        with suppress(OSError):  # a late write error of the old file, which nobody can act on
            os.close(old)

    def _rotate(self) -> None:
        now_ns = time.time_ns()
        stamp = time.strftime("%Y.%m.%d.%H.%M.%S", time.localtime(now_ns // 10**9))
        backup = f"{self._path}.{stamp}.{now_ns % 10**9:09d}"
        try:
            with suppress(FileNotFoundError):  # moved or deleted by others: a new file is what is needed then
                os.rename(self._path, backup)
            self._swap(self._open())
        except (OSError, ServerError) as error:
            self._next_size = self._size * 2  # not again at every line
            reason = _reason(error) if isinstance(error, OSError) else error
            self._size += self._append(
                Level.ERROR, f"Unable to rotate log, next attempt at {self._next_size}: {reason}"
            )
            return
        self._next_size = self._size_limit
        self._size += self._append(Level.INFO, f"Rotated log, backup saved as {go_quote(os.fsencode(backup))}")
        if self._max_num > 0:
            self._purge()

    def _purge(self) -> None:
        directory, base = os.path.split(self._path)
        try:
            names = os.listdir(directory or ".")
            backups = sorted(
                name for name in names if name.startswith(f"{base}.") and _BACKUP_STAMP.fullmatch(name, len(base) + 1)
            )
            for name in backups[: max(0, len(backups) - (self._max_num - 1))]:
                os.remove(os.path.join(directory, name))
                self._size += self._append(Level.INFO, f"Purged log file {go_quote(os.fsencode(name))}")
        except OSError as error:
            self._size += self._append(
                Level.ERROR, f"Unable to purge log files, next attempt at rotation: {_reason(error)}"
            )


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
