"""What keys and mouse do on the first screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from natsctl.tui.app import TopApp
from natsctl.tui.screens.columns import ColumnChooser
from natsctl.tui.screens.connection import ConnectionScreen
from natsctl.tui.screens.connections import ConnectionsScreen
from natsctl.tui.widgets.prompt import Prompt
from natsctl.tui.widgets.status import StatusLine
from tests.support.snapshots import URL, FakeServer, FakeSource, make_app


class Seen:
    """What a user sees and does."""

    def __init__(self, app: TopApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def source(self) -> FakeSource:
        source = self.app.board.source
        assert isinstance(source, FakeSource)
        return source

    @property
    def screen(self) -> ConnectionsScreen:
        screen = self.app.screen_stack[1]
        assert isinstance(screen, ConnectionsScreen)
        return screen

    @property
    def cids(self) -> list[int]:
        return [row.conn.cid for row in self.screen.table.rows]

    @property
    def cursor_cid(self) -> int:
        row = self.screen.table.row
        assert row
        return int(row.conn.cid)

    @property
    def titles(self) -> list[str]:
        return [column.title for column in self.screen.table.columns]

    @property
    def status(self) -> str:
        return self.screen.query_one(StatusLine).render().plain

    @property
    def text(self) -> str:
        """Everything on the screen."""
        return "\n".join(strip.text for strip in self.app.screen._compositor.render_strips())

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def appears(self, text: str) -> None:
        """Wait until something can be read."""
        for _ in range(100):
            if text in self.text:
                return
            await self.pilot.pause(0.02)
        raise AssertionError(f"{text!r} did not appear")

    async def type(self, text: str) -> None:
        await self.press(*("underscore" if char == "_" else char for char in text))


@asynccontextmanager
async def seen(*servers: FakeServer, size: tuple[int, int] = (160, 40)) -> AsyncIterator[Seen]:
    app = make_app(*(servers or (FakeServer(connections=40).read(5),)))
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        yield Seen(app, pilot)


async def test_q_quits() -> None:
    async with seen() as user:
        await user.press("q")
    assert user.app.return_code == 0


async def test_ctrl_c_quits_also_while_typing() -> None:
    async with seen() as user:
        await user.press("slash", "x", "ctrl+c")
    assert user.app.return_code == 0


@pytest.mark.parametrize("key", ["q", ""], ids=["quit", "terminal closed"])
async def test_snapshots_that_come_while_it_ends_are_not_drawn(key: str) -> None:
    server = FakeServer(connections=40).read(5)
    async with seen(server) as user:
        snapshot = server.read().snapshots[-1]

        async def come_without_end() -> None:
            while True:
                user.source.play(snapshot)
                await asyncio.sleep(0)

        coming = asyncio.create_task(come_without_end())
        await user.pilot.pause()
        if key:
            await user.pilot.press(key)
    coming.cancel()
    assert user.app.failure is None


async def test_q_may_be_typed_into_a_prompt() -> None:
    async with seen() as user:
        await user.press("o", "q")
        assert user.screen.query_one(Input).value == "q"
        assert user.app.is_running


async def test_o_sorts_by_what_is_typed_and_asks_the_server_in_that_order() -> None:
    async with seen() as user:
        await user.press("o")
        await user.type("msgs_to")
        await user.press("enter")
        assert user.screen.table.sort_key == "msgs_to"
        sent = [row.conn.out_msgs for row in user.screen.table.rows]
        assert sent == sorted(sent, reverse=True)
        assert user.source.asked[URL].sort == "msgs_to"


@pytest.mark.parametrize("key", ["start", "cid", "subs", "pending", "msgs_from", "bytes_to", "idle", "uptime", "rtt"])
async def test_o_takes_the_sort_keys_of_nats_top(key: str) -> None:
    async with seen() as user:
        await user.press("o")
        await user.type(key)
        await user.press("enter")
        assert not user.screen.query_one(Prompt).is_open


async def test_an_invalid_sort_key_is_explained_and_escape_cancels() -> None:
    async with seen() as user:
        await user.press("o")
        await user.type("msg_to")
        await user.press("enter")
        assert "invalid order: msg_to (try msgs_to" in user.text
        await user.press("escape")
        assert user.screen.table.sort_key == "cid"
        assert not user.screen.query_one(Prompt).is_open
        await user.press("down")
        assert user.screen.table.row is user.screen.table.rows[1]


async def test_n_changes_how_many_are_asked_for() -> None:
    async with seen() as user:
        await user.press("n", "7", "enter")
        assert user.source.asked[URL].limit == 7


@pytest.mark.parametrize("limit", ["0", "x", "-3", "1e3", "99999999999999999999", "²"])
async def test_an_invalid_limit_is_explained(limit: str) -> None:
    async with seen() as user:
        await user.press("n")
        user.screen.query_one(Input).value = limit
        await user.press("enter")
        assert "invalid limit" in user.text
        assert user.source.asked[URL].limit == 1024


async def test_space_changes_between_totals_and_rates() -> None:
    async with seen() as user:
        assert "MSGS_TO" in user.titles
        await user.press("space")
        assert "MSGS_TO/s" in user.titles
        row = user.screen.table.rows[6]
        assert row.rates.in_msgs_per_s == row.conn.cid * 31
        await user.press("space")
        assert "MSGS_TO" in user.titles


async def test_s_shows_subjects_and_asks_for_them() -> None:
    async with seen() as user:
        await user.press("s")
        assert "SUBSCRIPTIONS" in user.titles
        assert user.source.asked[URL].subs is True
        assert "rides.3.1" in user.text
        await user.press("s")
        assert user.source.asked[URL].subs is False


async def test_b_shows_plain_numbers() -> None:
    async with seen() as user:
        out_msgs = str(user.screen.table.rows[1].conn.out_msgs)
        assert out_msgs not in user.text
        await user.press("b")
        assert out_msgs in user.text


async def test_d_shows_names_once_they_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    async with seen() as user:
        monkeypatch.setattr(user.app.board._names, "name_of", {"10.0.0.2": "a.example"}.get)
        await user.press("d")
        assert "a.example:40007" in user.text
        assert "10.0.0.3:40014" in user.text


@pytest.mark.parametrize("needle", ["geo", "GEO-CACHE", "10.0.0.6", "acme geo"])
async def test_filter_as_you_type(needle: str) -> None:
    async with seen() as user:
        await user.press("slash")
        user.screen.query_one(Input).value = needle
        await user.pilot.pause()
        assert 5 in user.cids
        assert len(user.cids) < 40
        await user.press("enter")
        assert len(user.cids) < 40, "Enter keeps the filter"
        await user.press("slash", "x", "x", "escape")
        assert 5 in user.cids, "Escape goes back to the filter before"


async def test_filter_finds_subjects() -> None:
    async with seen() as user:
        await user.press("f")
        user.screen.query_one(Input).value = "rides.14."
        await user.pilot.pause()
        assert user.cids == [14]


async def test_a_click_on_a_title_sorts_and_a_second_one_reverses() -> None:
    async with seen() as user:
        x = user.text.splitlines()[5].index("SUBS")
        await user.pilot.click(user.screen.table, offset=(x, 0))
        assert (user.screen.table.sort_key, user.screen.table.sort_falls) == ("subs", True)
        await user.pilot.click(user.screen.table, offset=(x, 0))
        assert (user.screen.table.sort_key, user.screen.table.sort_falls) == ("subs", False)


async def test_every_column_sorts_both_ways() -> None:
    async with seen() as user:
        for column in user.screen.table.columns:
            user.screen.table.choose(column.key, False)
            rising = user.cids
            await user.press("r")
            order = column.order or column.text
            values = [order(row) for row in user.screen.table.rows]
            assert values == sorted(values, reverse=True)
            assert sorted(user.cids) == sorted(rising)


async def test_a_click_moves_the_cursor_and_another_opens() -> None:
    async with seen() as user:
        await user.pilot.click(user.screen.table, offset=(3, 4))
        assert user.cursor_cid == 4
        await user.pilot.click(user.screen.table, offset=(3, 4))
        await user.pilot.pause()
        assert isinstance(user.app.screen, ConnectionScreen)


async def test_enter_opens_a_connection_and_escape_comes_back() -> None:
    async with seen() as user:
        await user.press("down", "down", "enter")
        assert isinstance(user.app.screen, ConnectionScreen)
        await user.press("escape")
        assert user.app.screen_stack[-1] is user.screen
        await user.press("escape")
        assert user.app.screen_stack[-1] is user.screen, "there is nothing below the first screen"


async def test_the_cursor_stays_with_its_connection() -> None:
    server = FakeServer(connections=40).read(5)
    async with seen(server, size=(120, 20)) as user:
        await user.press("down", "down", "down", "space")
        cid = user.cursor_cid
        user.screen.table.choose("msgs_to")
        assert user.cursor_cid == cid
        await user.pilot.pause()
        assert f" {cid} " in user.text, "and in sight"


async def test_scrolling_to_the_end_and_back() -> None:
    async with seen(FakeServer(connections=5000).read(2), size=(80, 24)) as user:
        await user.press("end")
        assert " 5000 " in user.text
        await user.press("pageup", "pageup", "home")
        assert " 1 payments-svc" in user.text


async def test_the_wheel_scrolls() -> None:
    async with seen(FakeServer(connections=500).read(2), size=(80, 24)) as user:
        user.screen.table.scroll_down(animate=False)
        await user.pilot.pause()
        assert " 1 payments-svc" not in user.text


async def test_pause_stands_still_while_polling_goes_on() -> None:
    server = FakeServer(connections=3).read(5)
    async with seen(server) as user:
        await user.press("p")
        assert "paused at 03:00:05" in user.status
        user.source.play(server.read(4).snapshots[-1])
        await user.pilot.pause()
        assert "03:00:05" in user.text
        await user.press("p")
        assert "03:00:09" in user.text
        assert "paused" not in user.text


async def test_stepping_back_reaches_fifteen_minutes() -> None:
    server = FakeServer(connections=3).read(1000)
    async with seen(server) as user:
        for _ in range(15):
            user.app.action_step(-60)
        await user.pilot.pause()
        assert "paused at 03:01:40, 15m0s ago" in user.status
        for _ in range(30):
            user.app.action_step(-60)
        assert "paused at 03:00:01" in user.status, "no further than what is kept"


async def test_s_with_shift_goes_back_to_when_slow_consumers_rose() -> None:
    server = FakeServer(connections=3).read(5)
    async with seen(server) as user:
        await user.press("S")
        assert "slow consumers did not rise" in user.text
        server.slow_consumers = 2
        for snapshot in server.read(4).snapshots[-4:]:
            user.source.play(snapshot)
        await user.press("S")
        assert "paused at 03:00:06, 3s ago" in user.status


async def test_at_80_columns_the_foot_leads_everywhere() -> None:
    async with seen(size=(80, 24)) as user:
        foot = user.text.splitlines()[-1]
    for name in ("Help", "Open", "Filter", "Conns", "Closed", "Links", "Subjects", "Vars", "Pause", "Quit"):
        assert name in foot


async def test_columns_are_chosen() -> None:
    async with seen() as user:
        await user.press("c")
        assert isinstance(user.app.screen, ColumnChooser)
        await user.press("space", "enter")
        assert "HOST" not in user.titles
        await user.press("c", "space", "escape")
        assert "HOST" not in user.titles


def test_a_screenshot_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def save() -> None:
        async with seen() as user:
            await user.press("ctrl+s")
            await user.appears("saved as natsctl_top_")

    monkeypatch.chdir(tmp_path)
    asyncio.run(save())
    (picture,) = tmp_path.glob("*.svg")
    assert "payments-svc" in picture.read_text(encoding="utf-8")


async def test_a_screenshot_that_cannot_be_saved_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    async with seen() as user:
        await user.press("ctrl+s")
        await user.appears("cannot save the picture")


async def test_everything_is_in_the_palette() -> None:
    async with seen() as user:
        titles = {command.title for command in user.app.get_system_commands(user.app.screen)}
        assert {"Filter", "Sort", "Pause", "Columns", "Closed", "Links", "Subjects", "Vars", "SVG"} <= titles
        assert {"Theme", "Quit"} <= titles


async def test_a_command_of_the_palette_does_what_its_key_does() -> None:
    async with seen() as user:
        commands = {command.title: command for command in user.app.get_system_commands(user.app.screen)}
        await commands["Filter"].callback()
        assert user.screen.query_one(Prompt).is_open


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (200, 50), (80, 24)], ids="{0[0]}x{0[1]}".format)
async def test_any_size_while_it_runs(size: tuple[int, int]) -> None:
    async with seen() as user:
        await user.pilot.resize_terminal(*size)
        await user.press("down", "slash", "x", "escape", "c", "escape", "enter", "escape", "2", "3", "4", "escape", "5")
        assert user.app.is_running


async def test_names_cannot_command_the_terminal() -> None:
    server = FakeServer(connections=3).read(2)
    connz = server.snapshots[-1].connz
    assert connz
    connz.connections[0].name = "a\x1b[31m\u202eb\nc"
    async with seen(server) as user:
        assert "a\ufffd[31m\ufffdb\ufffdc" in user.text


async def test_an_outage_keeps_the_data_and_recovery_has_no_absurd_rates() -> None:
    server = FakeServer(connections=5).read(5)
    async with seen(server) as user:
        for snapshot in server.fail("nats:8222 refuses connections", "is it running?", count=3).snapshots[-3:]:
            user.source.play(snapshot)
        await user.pilot.pause()
        assert "nats:8222 refuses connections; data is 3s old (is it running?)" in user.status
        assert len(user.cids) == 5
        for snapshot in server.restart().read(2).snapshots[-2:]:
            user.source.play(snapshot)
        await user.pilot.pause()
        assert "restarted 2s ago" in user.status
        assert all(rates.in_msgs_per_s == row.conn.cid * 31 for row in user.screen.table.rows if (rates := row.rates))


async def test_a_server_that_hangs_is_noticed_before_the_poll_fails() -> None:
    now = 0.0
    app = make_app(FakeServer(connections=5).read(5), clock=lambda: now)
    async with app.run_test() as pilot:
        await pilot.pause()
        user = Seen(app, pilot)
        assert "no answer" not in user.status
        now = 7.5
        await user.appears("no answer for 7s")
