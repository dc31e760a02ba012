"""The screen of one connection: facts, queue mates, charts, and what happens when the connection is gone."""

from __future__ import annotations

from functools import partial

import msgspec
import pytest

from natsctl.monitoring.documents import Connz
from natsctl.monitoring.snapshot import Snapshot
from natsctl.tui.board import Board
from natsctl.tui.screens.connection import ConnectionScreen
from natsctl.tui.widgets.chart import Chart
from tests.support.pages import with_queue_group
from tests.support.screens import opened, served, source_of, text_of
from tests.support.snapshots import URL, FakeServer

TOGETHER = partial(with_queue_group, cids=(3, 4, 5))


def details(board: Board, cid: int = 5) -> ConnectionScreen:
    snapshot = board.snapshot(URL)
    assert snapshot and snapshot.connz
    return ConnectionScreen(board, URL, cid, snapshot.connz.connections[cid - 1].start)


def without(snapshot: Snapshot, cid: int, *, closed_for: str = "") -> Snapshot:
    """The same without a connection, which is among the closed ones if a reason is given."""
    assert snapshot.connz
    conns = snapshot.connz.connections
    gone = msgspec.structs.replace(next(conn for conn in conns if conn.cid == cid), reason=closed_for)
    left = msgspec.structs.replace(snapshot.connz, connections=[conn for conn in conns if conn.cid != cid])
    return msgspec.structs.replace(snapshot, connz=left, closed=Connz(connections=[gone] if closed_for else []))


async def test_enter_on_a_connection_shows_everything_about_it_and_escape_goes_back() -> None:
    async with opened(details, served(TOGETHER)) as pilot:
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(pilot.app.screen, ConnectionScreen)
        await pilot.press("home", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, ConnectionScreen)


async def test_facts_subscriptions_and_queue_mates_are_shown() -> None:
    async with opened(details, served(TOGETHER)) as pilot:
        screen = text_of(pilot)
    for shown in ("geo-cache", "10.0.0.6:40035", "python3 2.16.0", "/64.0M", "drivers.find", "62.5", "audit, acme"):
        assert shown in screen


async def test_while_it_is_shown_subscriptions_are_asked_for_in_detail_and_not_longer() -> None:
    async with opened(details, served()) as pilot:
        source = source_of(pilot)
        assert (source.asked[URL].subs, source.asked[URL].closed) == ("detail", True)
        assert source.asked[URL].cid is None, "the history of the others would have holes"
        await pilot.press("escape")
        await pilot.pause()
        assert (source.asked[URL].subs, source.asked[URL].closed) == (False, False)


async def test_a_connection_that_closes_says_why_and_stays_readable() -> None:
    server = served(TOGETHER)
    async with opened(details, server) as pilot:
        (latest,) = server.read().snapshots[-1:]
        source_of(pilot).play(without(latest, 5, closed_for="Slow Consumer (Pending Bytes)"))
        await pilot.pause()
        screen = text_of(pilot)
    assert "connection 5 is closed: Slow Consumer (Pending Bytes)" in screen
    assert "geo-cache" in screen


async def test_a_connection_that_is_on_no_page_any_more_keeps_what_was_known() -> None:
    server = served(TOGETHER)
    async with opened(details, server) as pilot:
        source_of(pilot).play(without(server.read().snapshots[-1], 5))
        await pilot.pause()
        screen = text_of(pilot)
    assert "not among the connections asked for" in screen
    assert "drivers.find" in screen


async def test_after_a_restart_another_connection_with_the_number_is_not_shown() -> None:
    server = served(TOGETHER)
    async with opened(details, server) as pilot:
        source_of(pilot).play(server.restart().read().snapshots[-1])
        await pilot.pause()
        assert "not among the connections asked for" in text_of(pilot)


async def test_key_and_mouse_change_the_chart() -> None:
    async with opened(details, served()) as pilot:
        assert "messages/s" in text_of(pilot)
        await pilot.press("c")
        await pilot.pause()
        assert "bytes/s" in text_of(pilot)
        await pilot.click("#bytes")
        await pilot.pause()
        assert "pending  bytes" in text_of(pilot)


async def test_with_much_room_all_charts_are_shown() -> None:
    async with opened(details, served(), size=(160, 60)) as pilot:
        assert all(chart.size.height > 0 for chart in pilot.app.screen.query(Chart))


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (20, 5), (1, 1)])
async def test_no_size_is_too_small(size: tuple[int, int]) -> None:
    async with opened(details, served(TOGETHER), size=size) as pilot:
        await pilot.resize_terminal(200, 50)
        await pilot.resize_terminal(*size)
        await pilot.pause()
        assert isinstance(pilot.app.screen, ConnectionScreen)


async def test_an_idle_connection_has_a_history_from_when_it_is_looked_at() -> None:
    server = FakeServer(connections=200).read(2)
    async with opened(partial(details, cid=13), server) as pilot:
        for snapshot in server.read(3).snapshots[-3:]:
            source_of(pilot).play(snapshot)
        await pilot.pause()
        assert pilot.app.screen.query_one("#msgs", Chart).has_values
