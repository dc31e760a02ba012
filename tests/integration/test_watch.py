"""Sources of snapshots: live from the official server, and out of a recording."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from natsctl.errors import UsageError
from natsctl.monitoring.snapshot import Query, Snapshot
from natsctl.ops.sources import open_source
from natsctl.ops.watch import Source, Watch
from tests.support.http import monitor_port
from tests.support.process import nats_server, running_server

PATIENCE_S = 15.0


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_server(nats_server(), tmp_path_factory.mktemp("server"), "http: 127.0.0.1:-1") as server:
        yield f"http://127.0.0.1:{monitor_port(server)}"


@asynccontextmanager
async def opened(watch: Watch) -> AsyncIterator[Source]:
    source = open_source(watch)
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield source
    finally:
        await source.close()


async def all_of(watch: Watch) -> list[Snapshot]:
    async with opened(watch) as source:
        return [snapshot async for snapshot in source.snapshots()]


async def test_it_ends_after_so_many_snapshots_of_each_server(url: str) -> None:
    seen = await all_of(Watch(servers=(url, "http://127.0.0.1:1"), interval_s=0.05, refreshes=3))
    assert {snapshot.server for snapshot in seen} == {url, "http://127.0.0.1:1"}
    assert sum(snapshot.server == url for snapshot in seen) >= 3


async def test_with_rates_the_first_reading_is_left_out_unless_it_failed(url: str) -> None:
    seen = await all_of(Watch(servers=(url, "http://127.0.0.1:1"), interval_s=0.05, refreshes=1, with_rates=True))
    good = [snapshot for snapshot in seen if not snapshot.error]
    assert good and all(snapshot.rates for snapshot in good)
    assert any("refuses connections" in snapshot.error for snapshot in seen)


async def test_one_server_can_be_asked_for_more_and_is_asked_at_once(url: str) -> None:
    other = url.replace("127.0.0.1", "localhost")
    async with opened(Watch(servers=(url, other), interval_s=60.0)) as source:
        snapshots = source.snapshots()
        assert {(await anext(snapshots)).server, (await anext(snapshots)).server} == {url, other}
        await source.set_query(url, Query(routez=True))
        snapshot = await anext(snapshots)
        assert snapshot.server == url
        assert snapshot.routez is not None


async def test_the_same_query_again_asks_for_nothing(url: str) -> None:
    watch = Watch(servers=(url,), interval_s=60.0)
    async with opened(watch) as source:
        snapshots = source.snapshots()
        first = await anext(snapshots)
        await source.set_query(url, watch.query)
        await source.set_query(url, Query(leafz=True))
        second = await anext(snapshots)
        assert first.leafz is None
        assert second.leafz is not None


async def test_a_server_given_twice_is_polled_once(url: str) -> None:
    async with opened(Watch(servers=(url, url))) as source:
        assert source.servers == [url]


async def test_a_live_source_has_no_player_and_a_replay_has_one(url: str, tmp_path: Path) -> None:
    watch = Watch(servers=(url,), interval_s=0.05, refreshes=3, record=tmp_path / "seen.ndjson")
    live = await all_of(watch)
    async with opened(Watch(replay=watch.record, speed=1000.0)) as source:
        assert source.servers == [url]
        assert source.player is not None
        source.player.seek(live[1].taken_at_ns)
        replayed = [snapshot async for snapshot in source.snapshots()]
    assert replayed == live[1:]
    async with opened(Watch(servers=(url,))) as source:
        assert source.player is None


async def test_closing_in_the_middle_finishes_the_recording(url: str, tmp_path: Path) -> None:
    file = tmp_path / "seen.ndjson.gz"
    async with opened(Watch(servers=(url,), interval_s=0.05, record=file)) as source:
        snapshots = source.snapshots()
        first = await anext(snapshots)
    [replayed, *_] = await all_of(Watch(replay=file, speed=1000.0))
    assert msgspec.json.encode(replayed) == msgspec.json.encode(first)


async def test_a_recording_that_exists_stops_the_start(url: str, tmp_path: Path) -> None:
    file = tmp_path / "seen.ndjson"
    file.touch()
    with pytest.raises(UsageError, match="exists"):
        open_source(Watch(servers=(url,), record=file))
