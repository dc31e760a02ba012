import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from natsctl.broker.logs import open_logger
from natsctl.config.options import LogOptions

SPEAK = """
from natsctl.broker.logs import open_logger
from natsctl.config.options import LogOptions
logger = open_logger(LogOptions(logtime=False))
logger.info("ready")
logger.close()
"""


def test_lines_go_to_standard_error_by_default(capfd: pytest.CaptureFixture[str]) -> None:
    logger = open_logger(LogOptions(logtime_utc=True))
    logger.info("ready")
    logger.close()
    out, err = capfd.readouterr()
    assert out == ""
    assert re.fullmatch(r"\[\d+\] \S+ \S+ \[INF\] ready\n", err)


def test_labels_are_coloured_on_a_terminal() -> None:
    primary, terminal = pty.openpty()
    subprocess.run([sys.executable, "-c", SPEAK], stderr=terminal, check=True)
    os.close(terminal)
    assert b"[\x1b[32mINF\x1b[0m] ready" in os.read(primary, 1024)
    os.close(primary)


def test_labels_are_plain_in_a_pipe() -> None:
    spoken = subprocess.run([sys.executable, "-c", SPEAK], stderr=subprocess.PIPE, check=True)
    assert re.fullmatch(rb"\[\d+\] \[INF\] ready\n", spoken.stderr)


def test_a_closed_standard_error_stops_nothing() -> None:
    subprocess.run([sys.executable, "-c", f"import os; os.close(2)\n{SPEAK}"], check=True)


def test_a_full_disk_stops_nothing() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, a device of Linux")
    with open("/dev/full", "wb") as full:
        subprocess.run([sys.executable, "-c", SPEAK], stderr=full, check=True)
