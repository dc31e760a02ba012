"""A program on a terminal of its own, whose output and modes a test can look at."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

__all__ = ["ENTER_SCREEN", "LEAVE_SCREEN", "WAIT_S", "Terminal"]

ENTER_SCREEN, LEAVE_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"
WAIT_S = 30.0
_SEQUENCE = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]|[PX^_\]].*?(\x1b\\|\x07)|[ -/]*[0-~])", re.DOTALL)
"""A control sequence, a string to the terminal, or a short escape sequence (ECMA-48, section 5)."""


class Terminal:
    """The program and its terminal; :meth:`close` it, also when the program has ended."""

    def __init__(self, *args: str, rows: int = 24, columns: int = 80) -> None:
        self._master, slave = pty.openpty()
        self._modes = termios.tcgetattr(slave)
        self._slave = slave
        self.resize(rows, columns)
        self.output = b""
        sizes = ("COLUMNS", "LINES")  # would win over the size of the terminal
        environment = {name: value for name, value in os.environ.items() if name not in sizes}
        self.process = subprocess.Popen(
            [*args], stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )

    def wait_for(self, text: bytes) -> None:
        """Read until something was written."""
        deadline = time.monotonic() + WAIT_S
        while text not in self.output:
            assert time.monotonic() < deadline, f"no {text!r} in {self.output[-500:]!r}"
            self._read(0.1)

    def wait_for_words(self, words: str) -> None:
        """Read until something can be seen, however it is coloured and broken into lines."""
        deadline = time.monotonic() + WAIT_S
        while words not in self.words:
            assert time.monotonic() < deadline, f"no {words!r} in {self.words[-500:]!r}"
            self._read(0.1)

    @property
    def words(self) -> str:
        """What was written so far without colours and movements, every gap one blank."""
        return " ".join(_SEQUENCE.sub(b" ", self.output).decode("utf-8", "replace").split())

    @property
    def left_behind(self) -> str:
        """What was written after the screen was given back."""
        _, _, left = self.output.rpartition(LEAVE_SCREEN)
        return _SEQUENCE.sub(b"", left).decode("utf-8", "replace")

    def type(self, text: bytes) -> None:
        """Press keys."""
        os.write(self._master, text)

    def exit_code(self) -> int:
        """Wait for the end."""
        deadline = time.monotonic() + WAIT_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"still running after {self.output[-500:]!r}"
            self._read(0.05)
        self._read(0.05)
        return self.process.returncode

    @property
    def is_restored(self) -> bool:
        """Whether the terminal is as it was before."""
        return termios.tcgetattr(self._slave) == self._modes and self.output.rfind(LEAVE_SCREEN) > self.output.rfind(
            ENTER_SCREEN
        )

    def resize(self, rows: int, columns: int) -> None:
        """Make the terminal of another size."""
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close_terminal(self) -> None:
        """Hang up."""
        os.close(self._slave)
        os.close(self._master)

    def close(self) -> None:
        """End the program, if it has not ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.close_terminal()

    def _read(self, timeout_s: float) -> None:
        while select.select([self._master], [], [], timeout_s)[0]:
            self.output += os.read(self._master, 65536)
            timeout_s = 0.0
