"""Screens of the dashboard in tests: opened over servers that never were, and read as text."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from natsctl.monitoring.snapshot import Snapshot
from natsctl.tui.app import TopApp
from natsctl.tui.board import Board
from natsctl.tui.screens.base import TopScreen
from natsctl.tui.widgets.table import LineTable
from tests.support.snapshots import FakeServer, FakeSource, make_app

__all__ = ["Decorate", "Looks", "opened", "served", "source_of", "table_of", "text_of"]

Decorate = Callable[[Snapshot], Snapshot]
Looks = Callable[..., bool]
"""Compares a picture of an app with the one that is kept."""


def served(*decorates: Decorate, server: FakeServer | None = None) -> FakeServer:
    """A server read for a while, to each of whose snapshots something is added."""
    server = server or FakeServer().read(30)
    for decorate in decorates:
        server.snapshots = [decorate(snapshot) for snapshot in server.snapshots]
    return server


@asynccontextmanager
async def opened(
    screen: Callable[[Board], TopScreen], *servers: FakeServer, size: tuple[int, int] = (100, 30)
) -> AsyncIterator[Pilot[None]]:
    """Run the dashboard with a screen on top."""
    app = make_app(*servers)
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        await app.push_screen(screen(app.board))
        await pilot.pause()
        yield pilot


def table_of(pilot: Pilot[None]) -> LineTable[Any]:
    """The table in the body of the screen on top."""
    assert isinstance(pilot.app.screen, TopScreen)
    return pilot.app.screen.table


def text_of(pilot: Pilot[None]) -> str:
    """What can be read on the terminal."""
    lines: Iterable[Iterable[object]] = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(getattr(segment, "text", "") for segment in line) for line in lines)


def source_of(pilot: Pilot[None]) -> FakeSource:
    """The source of the snapshots, to let more come and see what was asked."""
    assert isinstance(pilot.app, TopApp)
    source = pilot.app.board.source
    assert isinstance(source, FakeSource)
    return source
