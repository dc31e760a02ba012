"""The dashboard on a real terminal: how it leaves, and what it leaves behind."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

import pytest

URL = "http://127.0.0.1:1"  # nobody listens there
ENTER_SCREEN, LEAVE_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"
WAIT_S = 30.0
TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Runs a command whose terminal controls it, and so ends it when it goes away."""

BROKEN = f"""
import sys
from natsctl.cli.main import main
from natsctl.tui.{{module}} import {{name}}

def break_down(self, *args):
    secret = "s3cret"
    raise ZeroDivisionError("a bug")

{{name}}.{{method}} = break_down
sys.argv = ["natsctl", "top", "-s", "{URL}"]
main()
"""


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, *args: str, rows: int = 24, columns: int = 80) -> None:
        self._master, slave = pty.openpty()
        self._modes = termios.tcgetattr(slave)
        self._slave = slave
        self.resize(rows, columns)
        self.output = b""
        self.process = subprocess.Popen([*args], stdin=slave, stdout=slave, stderr=slave, start_new_session=True)

    def wait_for(self, text: bytes) -> None:
        """Read until something was written."""
        deadline = time.monotonic() + WAIT_S
        while text not in self.output:
            assert time.monotonic() < deadline, f"no {text!r} in {self.output[-500:]!r}"
            self._read(0.1)

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
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.close_terminal()

    def _read(self, timeout_s: float) -> None:
        while select.select([self._master], [], [], timeout_s)[0]:
            self.output += os.read(self._master, 65536)
            timeout_s = 0.0


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    opened = Terminal(sys.executable, "-m", "natsctl", "top", "-s", URL)
    opened.wait_for(b"refuses connections")
    yield opened
    opened.close()


@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "ctrl-c"])
def test_a_key_ends_it(terminal: Terminal, key: bytes) -> None:
    terminal.type(key)
    assert terminal.exit_code() == 0
    assert terminal.is_restored


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_it(terminal: Terminal, number: signal.Signals) -> None:
    terminal.process.send_signal(number)
    assert terminal.exit_code() == 128 + number
    assert terminal.is_restored


def test_an_interrupt_is_the_same_as_ctrl_c(terminal: Terminal) -> None:
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.exit_code() == 0
    assert terminal.is_restored


@pytest.mark.parametrize("is_stalled", [False, True], ids=["at once", "after a stall"])
def test_it_ends_when_the_terminal_goes_away(is_stalled: bool) -> None:
    """As when a connection of ssh breaks: perhaps after a while in which nobody took what was drawn."""
    command = [sys.executable, "-m", "natsctl", "top", "-d", "0.05", "-s", URL]
    opened = Terminal(sys.executable, "-c", TAKE_TERMINAL, *command, rows=60, columns=200)
    try:
        opened.wait_for(b"refuses connections")
        if is_stalled:
            for rows in range(20, 60):
                opened.resize(rows, 200)
                time.sleep(0.05)  # a stall has no event; too short a one makes the test easier to pass
        opened.close_terminal()
        opened.process.send_signal(signal.SIGCONT)  # as shells and the kernel do
        assert opened.process.wait(WAIT_S) == 128 + signal.SIGHUP
    finally:
        opened.process.kill()


def test_suspending_gives_the_terminal_back(terminal: Terminal) -> None:
    terminal.type(b"\x1a")
    terminal.wait_for(LEAVE_SCREEN)
    os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
    terminal.process.send_signal(signal.SIGCONT)
    terminal.type(b"q")
    assert terminal.exit_code() == 0
    assert terminal.is_restored


@pytest.mark.parametrize(
    ("module", "name", "method"),
    [
        ("widgets.status", "StatusLine", "show"),
        ("widgets.table", "LineTable", "render_line"),
        ("board", "Board", "add"),
    ],
)
def test_a_bug_is_told_in_short(module: str, name: str, method: str) -> None:
    terminal = Terminal(sys.executable, "-c", BROKEN.format(module=module, name=name, method=method))
    try:
        assert terminal.exit_code() == 1
        left = terminal.output[terminal.output.rfind(LEAVE_SCREEN) :]
        assert b"natsctl: internal error: ZeroDivisionError: a bug\r\nhint: " in left
        assert b"s3cret" not in left
        assert len(left.splitlines()) < 6
        assert terminal.is_restored
    finally:
        terminal.close()
