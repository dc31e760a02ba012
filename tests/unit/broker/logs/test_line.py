import os
import re
import time

import pytest

from natsctl.broker.logs.line import Level, LineFormat

STAMP = r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6}"


def test_a_line_has_pid_time_in_microseconds_and_label() -> None:
    line = LineFormat().line(Level.INFO, "Server is ready").decode()
    assert re.fullmatch(rf"\[{os.getpid()}\] {STAMP} \[INF\] Server is ready\n", line)


def test_without_logtime_only_pid_and_label_remain() -> None:
    assert LineFormat(logtime=False).line(Level.WARN, "x") == f"[{os.getpid()}] [WRN] x\n".encode()


@pytest.mark.parametrize("utc", [True, False])
def test_the_time_is_that_of_the_clock_in_the_zone_asked_for(utc: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "XXX-05:30")
    time.tzset()
    try:
        monkeypatch.setattr(time, "time_ns", lambda: 1795457971_784171_999)
        line = LineFormat(utc=utc).line(Level.TRACE, "x").decode()
        assert f" 2026/11/{'23 18:19' if utc else '23 23:49'}:31.784171 [TRC] x\n" in line
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_time_goes_on_from_line_to_line(monkeypatch: pytest.MonkeyPatch) -> None:
    line_format = LineFormat(utc=True)
    clock = iter([999_999_000, 1_000_000_000, 1_500_000_000, 61_000_001_000])
    monkeypatch.setattr(time, "time_ns", lambda: next(clock))
    stamps = [line_format.line(Level.DEBUG, "").decode().split()[2] for _ in range(4)]
    assert stamps == ["00:00:00.999999", "00:00:01.000000", "00:00:01.500000", "00:01:01.000001"]


def test_labels_are_coloured_when_asked_for() -> None:
    line_format = LineFormat(logtime=False, is_coloured=True)
    labels = [line_format.line(level, "").split(b" ", 1)[1].rstrip() for level in Level]
    assert labels == [
        b"[\x1b[31mFTL\x1b[0m]",
        b"[\x1b[31mERR\x1b[0m]",
        b"[\x1b[0;93mWRN\x1b[0m]",
        b"[\x1b[32mINF\x1b[0m]",
        b"[\x1b[36mDBG\x1b[0m]",
        b"[\x1b[33mTRC\x1b[0m]",
    ]
