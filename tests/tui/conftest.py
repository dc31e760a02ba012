"""What the tests of the dashboard share: a terminal that is everywhere the same, and a time zone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from natsctl.tui.app import TopApp
from tests.support.screens import Looks


@pytest.fixture(autouse=True)
def same_everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def looks(snap_compare: Callable[..., bool]) -> Looks:
    """Compares a picture, after making sure that it is one of an app that did not break down."""

    def compare(app: TopApp, **how: Any) -> bool:
        is_same = snap_compare(app, **how)
        if app.failure:
            raise app.failure
        return is_same

    return compare
