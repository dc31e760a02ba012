"""The variables of the servers, and the list of all keys."""

from __future__ import annotations

from natsctl.tui.screens.help import HelpScreen
from natsctl.tui.screens.variables import VariablesScreen
from tests.support.screens import opened, served, table_of, text_of
from tests.support.snapshots import FakeServer


async def test_variables_can_be_searched() -> None:
    async with opened(VariablesScreen, served()) as pilot:
        await pilot.press("slash", *"max_p", "enter")
        await pilot.pause()
        screen = text_of(pilot)
    assert "max_payload" in screen
    assert "1.0 MiB" in screen
    assert "server_name" not in screen


async def test_variables_of_several_servers_sorted_by_name_are_side_by_side() -> None:
    other = FakeServer("http://127.0.0.1:8223", "nats-2").read(3)
    async with opened(VariablesScreen, served(), other) as pilot:
        table = table_of(pilot)
        table.sort_by("name")
        names = [(row.name, row.server) for row in table.rows if row.name == "server_name"]
        assert names == [("server_name", "nats-1"), ("server_name", "nats-2")]


async def test_help_lists_the_keys_of_all_screens_and_can_be_searched() -> None:
    async with opened(HelpScreen, served()) as pilot:
        rows = table_of(pilot).rows
        places = {row.place for row in rows}
        assert {"everywhere", "connections", "one connection", "subscriptions", "tables"} <= places
        assert any(row.keys.startswith("q") and row.name == "Quit" for row in rows)
        await pilot.press("slash", *"ask message", "enter")
        await pilot.pause()
        assert [row.name for row in table_of(pilot).rows] == ["Who receives"]


async def test_every_key_has_a_name() -> None:
    async with opened(HelpScreen, served()) as pilot:
        assert all(row.name and row.keys for row in table_of(pilot).rows)
