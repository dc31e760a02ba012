"""The dashboard on a real terminal: how it leaves, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator

import pytest

from tests.support.terminal import LEAVE_SCREEN, WAIT_S, Terminal

URL = "http://127.0.0.1:1"  # nobody listens there
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


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    opened = Terminal(sys.executable, "-m", "natsctl", "top", "-s", URL)
    opened.wait_for(b"refuses connections")
    yield opened
    opened.close()


@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "ctrl-c"])
def test_a_key_ends_it_and_what_was_wrong_all_the_time_is_told_again(terminal: Terminal, key: bytes) -> None:
    terminal.type(key)
    assert terminal.exit_code() == 6
    assert terminal.is_restored
    assert terminal.left_behind.startswith("natsctl: 127.0.0.1:1 refuses connections\r\nhint: ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_it(terminal: Terminal, number: signal.Signals) -> None:
    terminal.process.send_signal(number)
    assert terminal.exit_code() == 128 + number
    assert terminal.is_restored


def test_an_interrupt_is_the_same_as_ctrl_c(terminal: Terminal) -> None:
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.exit_code() == 6
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
    assert terminal.exit_code() == 6
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
