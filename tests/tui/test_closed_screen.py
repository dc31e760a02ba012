"""Closed connections in groups, one by one, and each in detail."""

from __future__ import annotations

import msgspec
import pytest

from natsctl.monitoring.snapshot import Snapshot
from natsctl.tui.screens.closed import ClosedConnectionsScreen, ClosedScreen
from natsctl.tui.screens.connection import ConnectionScreen
from natsctl.tui.widgets.table import HEADER_LINES, LineTable
from tests.support.pages import with_closed
from tests.support.screens import opened, served, source_of, table_of, text_of
from tests.support.snapshots import URL


async def test_groups_begin_with_trouble_and_are_summed_up() -> None:
    async with opened(ClosedScreen, served(with_closed)) as pilot:
        screen = text_of(pilot)
        names = [row.client for row in table_of(pilot).rows]
    assert "11 closed connections: Slow Consumer (Pending Bytes) \N{MULTIPLICATION SIGN}3 by payments-svc" in screen
    assert names == ["payments-svc", "audit", "billing", "orders-svc"]


async def test_enter_opens_a_group_and_then_a_connection_and_escape_goes_back() -> None:
    async with opened(ClosedScreen, served(with_closed)) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, ClosedConnectionsScreen)
        assert "3 closed connections" in text_of(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, ConnectionScreen)
        assert "connection 100 is closed" in text_of(pilot)
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert isinstance(pilot.app.screen, ClosedScreen)


async def test_a_click_chooses_a_group_and_a_second_one_opens_it() -> None:
    async with opened(ClosedScreen, served(with_closed)) as pilot:
        for _ in range(2):
            await pilot.click(LineTable, offset=(8, HEADER_LINES + 1))
        await pilot.pause()
        assert isinstance(pilot.app.screen, ClosedConnectionsScreen)
        assert "Stale Connection \N{MULTIPLICATION SIGN}2 by audit" in text_of(pilot)


async def test_all_can_be_listed_one_by_one() -> None:
    async with opened(ClosedScreen, served(with_closed)) as pilot:
        await pilot.press("e")
        await pilot.pause()
        assert len(table_of(pilot).rows) == 11


async def test_a_search_leaves_out_rows_and_escape_ends_it_first() -> None:
    async with opened(ClosedScreen, served(with_closed)) as pilot:
        await pilot.press("slash", *"stale", "enter")
        await pilot.pause()
        assert '1 match "stale"' in text_of(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert len(table_of(pilot).rows) == 4
        assert isinstance(pilot.app.screen, ClosedScreen)


@pytest.mark.parametrize("screen", [ClosedScreen, ClosedConnectionsScreen])
async def test_closed_connections_are_asked_for_while_they_are_shown(
    screen: type[ClosedScreen | ClosedConnectionsScreen],
) -> None:
    async with opened(screen, served()) as pilot:
        assert source_of(pilot).asked[URL].closed
        await pilot.press("escape")
        await pilot.pause()
        assert not source_of(pilot).asked[URL].closed


async def test_a_server_that_remembers_more_than_were_asked_for_is_said_to() -> None:
    def cut_off(snapshot: Snapshot) -> Snapshot:
        snapshot = with_closed(snapshot)
        assert snapshot.closed
        return msgspec.structs.replace(snapshot, closed=msgspec.structs.replace(snapshot.closed, total=10_000))

    async with opened(ClosedScreen, served(cut_off)) as pilot:
        assert "the last 11 of 10000 closed connections: Slow" in text_of(pilot)
        await pilot.press("e")
        await pilot.pause()
        assert "the last 11 of 10000 closed connections" in text_of(pilot)


async def test_that_nothing_closed_is_said() -> None:
    async with opened(ClosedScreen, served()) as pilot:
        assert "no closed connections" in text_of(pilot)
