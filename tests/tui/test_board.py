"""The state of the dashboard, without a terminal."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from natsctl.monitoring.times import NS
from natsctl.ops.sources import open_source
from natsctl.ops.watch import Watch
from natsctl.tui import board as boards
from natsctl.tui.board import Board
from tests.support.snapshots import EPOCH_NS, URL, FakeServer, FakeSource, recorded

OTHER = "http://10.0.0.9:8222"


def board_of(*servers: FakeServer) -> Board:
    source = FakeSource(snapshot for server in servers for snapshot in server.snapshots)
    board = Board(Watch(servers=tuple(server.url for server in servers)), source)
    for server in servers:
        for snapshot in server.snapshots:
            board.add(snapshot)
    return board


def test_the_latest_snapshot_is_shown() -> None:
    server = FakeServer().read(3)
    board = board_of(server)
    assert board.snapshot(URL) == server.snapshots[-1]
    assert board.moment_ns is None


def test_going_back_shows_what_was_on_the_screen_then() -> None:
    server = FakeServer().read(60)
    board = board_of(server)
    board.step(-10)
    assert board.snapshot(URL) == server.snapshots[49]
    assert board.behind_s == 10
    board.step(4)
    assert board.snapshot(URL) == server.snapshots[53]
    board.pause(False)
    assert board.snapshot(URL) == server.snapshots[59]


def test_series_end_at_the_moment_shown() -> None:
    board = board_of(FakeServer().read(60))
    live = board.series(URL, "in_msgs_per_s", 60)
    board.step(-10)
    assert board.series(URL, "in_msgs_per_s", 49) == live[1:50]


def test_series_of_a_connection_end_at_the_moment_shown() -> None:
    board = board_of(FakeServer().read(60))
    board.history(URL).pin(6)
    live = board.connection_series(URL, 6, "pending_bytes", 60)
    board.step(-10)
    assert board.connection_series(URL, 6, "pending_bytes", 49) == live[:-10][-49:]
    assert board.connection_series(URL, 99, "pending_bytes", 49) == []
    board.step(-1000)
    assert len(board.series(URL, "cpu", 60)) == 1


def test_what_comes_while_it_is_paused_is_kept_for_later() -> None:
    server = FakeServer().read(5)
    board = board_of(server)
    board.pause()
    board.add(server.read().snapshots[-1])
    assert board.snapshot(URL) == server.snapshots[4]
    board.step(1)
    assert board.snapshot(URL) == server.snapshots[5]


def test_a_server_that_was_not_there_then_is_not_shown() -> None:
    late = FakeServer(OTHER, "late")
    late._ticks = 30
    board = board_of(FakeServer().read(40), late.read(10))
    assert len(board.snapshots) == 2
    board.step(-20)
    assert [snapshot.server for snapshot in board.snapshots] == [URL]


def test_nothing_happens_before_the_first_snapshot() -> None:
    board = board_of()
    board.pause()
    board.step(-10)
    assert not board.is_paused


def test_five_thousand_connections_reach_back_fifteen_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "REWIND_BYTES", 200_000)  # as tight for 60 connections as 64 MiB are for many more
    server = FakeServer(connections=60).read(1000)
    board = board_of(server)
    board.step(-900)
    snapshot = board.snapshot(URL)
    assert snapshot
    assert (server.snapshots[-1].taken_at_ns - snapshot.taken_at_ns) / NS >= 850


def test_slow_consumers_are_found_where_they_rose() -> None:
    server = FakeServer().read(10)
    for rise in (1, 3):
        server.slow_consumers += rise
        server.read(10)
    board = board_of(server.restart().read(5))
    assert board.go_to_rise()
    assert board.snapshot(URL) == server.snapshots[20]
    assert board.go_to_rise()
    assert board.snapshot(URL) == server.snapshots[10]
    assert not board.go_to_rise()
    assert board.snapshot(URL) == server.snapshots[10], "it stays where it is"


def test_without_slow_consumers_there_is_nothing_to_go_to() -> None:
    board = board_of(FakeServer().read(10))
    assert not board.go_to_rise()
    assert not board.is_paused


def test_a_setting_is_asked_of_the_servers() -> None:
    board = board_of(FakeServer().read())
    board.change(limit=5, sort="subs", subscriptions=True)
    assert (board.query.limit, board.query.sort, board.query.subs, board.query.auth) == (5, "subs", True, True)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    server = FakeServer().read(20)
    server.slow_consumers = 2
    return recorded(server.read(10), tmp_path / "night.ndjson")


async def test_a_replay_goes_on_after_its_end_when_the_user_moves_back(recording: Path) -> None:
    watch = Watch(replay=recording, speed=1000.0)
    board = Board(watch, open_source(watch))
    shown: asyncio.Queue[int] = asyncio.Queue()
    following = asyncio.create_task(board.follow(lambda: shown.put_nowait(board.snapshots[0].taken_at_ns)))
    for second in range(1, 31):
        assert await shown.get() == EPOCH_NS + second * NS
    assert await shown.get() == EPOCH_NS + 30 * NS
    assert board.is_at_end
    board.step(-20)
    assert board.is_paused
    assert await shown.get() == EPOCH_NS + 10 * NS
    board.change_speed(2)
    assert board.source.player
    assert board.source.player.speed == 1024, "the highest there is"
    following.cancel()


async def test_slow_consumers_are_found_in_a_recording_before_it_is_played_to_there(recording: Path) -> None:
    watch = Watch(replay=recording)
    board = Board(watch, open_source(watch))
    shown: asyncio.Queue[int] = asyncio.Queue()
    following = asyncio.create_task(board.follow(lambda: shown.put_nowait(board.snapshots[0].taken_at_ns)))
    await shown.get()
    assert not board.go_to_rise(), "it lies ahead"
    board.step(1000)
    assert await shown.get() == EPOCH_NS + 30 * NS
    assert board.go_to_rise()
    while await shown.get() != EPOCH_NS + 21 * NS:
        pass
    assert not board.go_to_rise()
    following.cancel()
