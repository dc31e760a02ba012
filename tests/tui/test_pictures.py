"""How the first screen looks, in every state it can be in; the pictures are kept beside these tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from natsctl.monitoring.cluster import Peer
from natsctl.monitoring.replay import Player, Recording
from natsctl.tui.app import TopApp
from natsctl.tui.board import Board
from natsctl.tui.theme import NO_COLOUR, THEMES
from tests.support.screens import Looks
from tests.support.snapshots import FakeServer, FakeSource, make_app, recorded

THEME_NAMES = [theme.name for theme in THEMES]
SMALL, LARGE = (80, 24), (140, 40)
REFUSED = ("127.0.0.1:8222 refuses connections", "is the server running, and started with monitoring?")


def busy() -> FakeServer:
    return FakeServer(connections=60).read(40)


def pressing(*keys: str) -> Callable[[Pilot[None]], Any]:
    async def press(pilot: Pilot[None]) -> None:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()

    return press


@pytest.mark.parametrize("theme", THEME_NAMES)
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_normal(looks: Looks, theme: str, size: tuple[int, int]) -> None:
    assert looks(make_app(busy(), theme=theme), terminal_size=size)


@pytest.mark.parametrize("theme", THEME_NAMES)
def test_outage_leaves_the_last_data_grey(looks: Looks, theme: str) -> None:
    server = busy().fail(*REFUSED, count=12)
    assert looks(make_app(server, theme=theme), terminal_size=SMALL)


@pytest.mark.parametrize("theme", THEME_NAMES)
def test_restart_is_marked(looks: Looks, theme: str) -> None:
    server = busy().fail(*REFUSED, count=3).restart().read(5)
    assert looks(make_app(server, theme=theme), terminal_size=SMALL)


@pytest.mark.parametrize("theme", THEME_NAMES)
def test_slow_consumers_light_up_when_they_grow(looks: Looks, theme: str) -> None:
    server = busy()
    server.slow_consumers = 3
    assert looks(make_app(server.read(2), theme=theme), terminal_size=SMALL)


@pytest.mark.parametrize("theme", THEME_NAMES)
@pytest.mark.parametrize("is_paused", [False, True], ids=["playing", "paused"])
def test_replay_tells_where_it_is_and_how_fast(looks: Looks, tmp_path: Path, theme: str, is_paused: bool) -> None:
    server = busy()

    def replay(board: Board) -> None:
        player = Player(Recording(recorded(server, tmp_path / "night.ndjson")), speed=10)
        player.pause(is_paused)
        player.seek(server.snapshots[24].taken_at_ns)
        assert isinstance(board.source, FakeSource)
        board.source.player = player

    assert looks(make_app(server, change=replay, theme=theme), terminal_size=SMALL)


def test_servers_of_the_same_name_are_told_apart(looks: Looks) -> None:
    servers = [FakeServer(f"http://10.1.0.{number}:8222", "nats", 8).read(30) for number in (1, 2)]
    gone = FakeServer("http://10.1.0.3:8222", "edge", 8).read(20).fail("10.1.0.3:8222 does not answer", count=3)
    assert looks(make_app(*servers, gone), terminal_size=SMALL)


@pytest.mark.parametrize("theme", THEME_NAMES)
def test_several_servers_one_of_them_gone_and_one_never_found(looks: Looks, theme: str) -> None:
    servers = [
        FakeServer("http://10.1.0.1:8222", "nats-1", 20).read(30),
        FakeServer("http://10.1.0.2:8222", "nats-2", 12).read(25).fail("10.1.0.2:8222 does not answer", count=5),
        FakeServer("http://10.1.0.3:8222", "nats-3", 30).read(30),
    ]
    app = make_app(*servers, theme=theme)
    source = app.board.source
    assert isinstance(source, FakeSource)
    source.missing.append(Peer("NX", "nats-4", "http://10.1.0.4:8222", "10.1.0.4:8222 refuses connections"))
    assert looks(app, terminal_size=(120, 30))


@pytest.mark.parametrize("theme", THEME_NAMES)
def test_filtered_while_typing(looks: Looks, theme: str) -> None:
    assert looks(make_app(busy(), theme=theme), terminal_size=SMALL, run_before=pressing("/", *"geo"))


@pytest.mark.parametrize("theme", [THEMES[0].name, NO_COLOUR])
def test_invalid_sort_key_is_explained(looks: Looks, theme: str) -> None:
    app = make_app(busy(), theme=theme)
    assert looks(app, terminal_size=SMALL, run_before=pressing("o", *"msg_to", "enter"))


@pytest.mark.parametrize("theme", THEME_NAMES)
def test_paused_and_gone_back(looks: Looks, theme: str) -> None:
    assert looks(make_app(busy(), theme=theme), terminal_size=SMALL, run_before=pressing("comma", "comma"))


def test_rates_sorted_and_subjects(looks: Looks) -> None:
    run_before = pressing("space", "s", "o", *"msgs_to", "enter", "down", "down")
    assert looks(make_app(busy()), terminal_size=(160, 24), run_before=run_before)


@pytest.mark.parametrize("theme", THEME_NAMES)
def test_column_chooser(looks: Looks, theme: str) -> None:
    assert looks(make_app(busy(), theme=theme), terminal_size=SMALL, run_before=pressing("c", "down", "space"))


def test_raw_numbers(looks: Looks) -> None:
    assert looks(make_app(busy()), terminal_size=LARGE, run_before=pressing("b"))


def test_wrong_port_before_any_answer(looks: Looks) -> None:
    server = FakeServer().fail(
        "127.0.0.1:8222 is the port for clients; monitoring is usually port 8222",
        "try -m 8222; the server needs -m PORT or http_port",
    )
    assert looks(make_app(server), terminal_size=SMALL)


@pytest.mark.parametrize("size", [(20, 5), (40, 9), (60, 15), (200, 50)], ids="{0[0]}x{0[1]}".format)
def test_any_size(looks: Looks, size: tuple[int, int]) -> None:
    assert looks(make_app(busy().fail(*REFUSED)), terminal_size=size)


def test_no_connections(looks: Looks) -> None:
    assert looks(make_app(FakeServer(connections=0).read(5)), terminal_size=SMALL)


def test_no_color_variable_takes_all_colours_away(looks: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app: TopApp = make_app(busy())
    assert app.theme == NO_COLOUR
    assert looks(app, terminal_size=SMALL)
