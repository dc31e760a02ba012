"""How the screens behind the first one look; the pictures are kept beside these tests."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from textual.pilot import Pilot

from natsctl.monitoring.documents import SubDetail
from natsctl.tui.app import TopApp
from natsctl.tui.board import Board
from natsctl.tui.screens.base import TopScreen
from natsctl.tui.screens.closed import ClosedConnectionsScreen, ClosedScreen
from natsctl.tui.screens.connection import ConnectionScreen
from natsctl.tui.screens.help import HelpScreen
from natsctl.tui.screens.links import LinksScreen
from natsctl.tui.screens.subjects import SubjectsScreen
from natsctl.tui.screens.variables import VariablesScreen
from natsctl.tui.theme import THEMES
from tests.support.pages import with_closed, with_links, with_queue_group, with_receivers
from tests.support.screens import Looks, served
from tests.support.snapshots import URL, FakeServer, make_app

Screen = Callable[[Board], TopScreen]

SMALL, LARGE, TINY = (80, 24), (140, 44), (20, 5)
RECEIVERS = (
    SubDetail(subject="drivers.*", sid="7", cid=5),
    SubDetail(subject="drivers.find", qgroup="manager", sid="90", cid=3),
    SubDetail(subject="drivers.find", qgroup="manager", sid="90", cid=4),
)


def connection(board: Board) -> ConnectionScreen:
    snapshot = board.snapshot(URL)
    assert snapshot and snapshot.connz
    return ConnectionScreen(board, URL, 6, snapshot.connz.connections[5].start)


SCREENS: dict[str, Screen] = {
    "connection": connection,
    "closed": ClosedScreen,
    "closed-each": ClosedConnectionsScreen,
    "links": LinksScreen,
    "subjects": SubjectsScreen,
    "receivers": partial(SubjectsScreen, subject="drivers.find"),
    "variables": VariablesScreen,
    "help": HelpScreen,
}


def busy(*receivers: SubDetail) -> FakeServer:
    return served(
        partial(with_queue_group, cids=(3, 4, 6)),
        partial(with_links, peers=("nats-2", "nats-3")),
        with_closed,
        lambda snapshot: with_receivers(snapshot, *receivers),
    )


def opening(screen: Screen, *keys: str) -> Callable[[Pilot[None]], Any]:
    async def run(pilot: Pilot[None]) -> None:
        assert isinstance(pilot.app, TopApp)
        await pilot.pause()
        await pilot.app.push_screen(screen(pilot.app.board))
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()

    return run


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
@pytest.mark.parametrize("name", SCREENS)
def test_normal(looks: Looks, name: str, theme: str) -> None:
    app = make_app(busy(*RECEIVERS), theme=theme)
    assert looks(app, terminal_size=SMALL, run_before=opening(SCREENS[name]))


@pytest.mark.parametrize("name", ["connection", "links"])
def test_with_much_room(looks: Looks, name: str) -> None:
    assert looks(make_app(busy()), terminal_size=LARGE, run_before=opening(SCREENS[name]))


@pytest.mark.parametrize("name", SCREENS)
def test_with_hardly_any_room(looks: Looks, name: str) -> None:
    assert looks(make_app(busy(*RECEIVERS)), terminal_size=TINY, run_before=opening(SCREENS[name]))


@pytest.mark.parametrize("name", ["connection", "closed", "links", "subjects", "variables"])
def test_an_outage_leaves_the_last_data_grey(looks: Looks, name: str) -> None:
    server = FakeServer().read(30).fail("127.0.0.1:8222 refuses connections", "is the server running?", count=12)
    app = make_app(served(partial(with_links, peers=("nats-2",)), with_closed, server=server))
    assert looks(app, terminal_size=SMALL, run_before=opening(SCREENS[name]))


def test_nobody_is_listening(looks: Looks) -> None:
    assert looks(make_app(busy()), terminal_size=SMALL, run_before=opening(SCREENS["receivers"]))


def test_an_invalid_subject_is_refused(looks: Looks) -> None:
    ask = opening(SCREENS["subjects"], "w", *"drivers..find", "enter")
    assert looks(make_app(busy()), terminal_size=SMALL, run_before=ask)


def test_searched_and_paused(looks: Looks) -> None:
    search = opening(SCREENS["variables"], "p", "slash", *"max", "enter")
    assert looks(make_app(busy()), terminal_size=SMALL, run_before=search)


def test_one_server_of_a_cluster_has_lost_another(looks: Looks) -> None:
    here = served(partial(with_links, peers=("nats-2",)))
    there = served(partial(with_links, peers=("nats-1",)), server=FakeServer("http://10.0.0.2:8222", "nats-3").read(30))
    assert looks(make_app(here, there), terminal_size=(120, 24), run_before=opening(SCREENS["links"]))
