"""Polling: each server at its own pace, nothing waits in line, and what goes wrong is shown, not raised."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import pytest

from natsctl.errors import NatsctlError
from natsctl.monitoring.documents import ConnInfo, Connz, Varz, encode
from natsctl.monitoring.poller import Poller
from natsctl.monitoring.reader import Reader
from natsctl.monitoring.snapshot import Query, Reading, Snapshot
from natsctl.monitoring.times import format_time

Handler = Callable[[str], Awaitable[tuple[int, bytes]]]


class Server:
    """A monitoring port whose answers a test decides; it counts the requests under way."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.paths: list[str] = []
        self.under_way = 0
        self.most_under_way = 0


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Server]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := (await reader.readuntil(b"\r\n\r\n")).decode():
                path = request.split(" ")[1]
                server.paths.append(path)
                server.under_way += 1
                server.most_under_way = max(server.most_under_way, server.under_way)
                status, body = await handler(path)
                server.under_way -= 1
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    server = Server(listener.sockets[0].getsockname()[1])
    try:
        yield server
    finally:
        listener.close()


async def healthy(path: str) -> tuple[int, bytes]:
    now = format_time(int(asyncio.get_running_loop().time() * 10**9))
    if path.startswith("/varz"):
        return 200, encode(Varz(server_id="A", start="1970-01-01T00:00:00Z", now=now))
    return 200, encode(Connz(now=now, connections=[ConnInfo(cid=5)]))


async def stuck(path: str) -> tuple[int, bytes]:
    await asyncio.sleep(30)
    return 200, b""


async def test_a_server_that_is_stuck_delays_no_other() -> None:
    async with (
        serving(healthy) as fast,
        serving(stuck) as slow,
        Reader(slow.url, timeout_s=0.5) as slow_reader,
        Reader(fast.url) as fast_reader,
        aclosing(Poller([slow_reader, fast_reader], interval_s=0.05).snapshots()) as snapshots,
    ):
        seen: list[Snapshot] = []
        async for snapshot in snapshots:
            seen.append(snapshot)
            if snapshot.server == slow.url and snapshot.error:
                break
    assert "0.5 s" in seen[-1].error
    assert sum(snapshot.server == fast.url for snapshot in seen) >= 4
    assert slow.most_under_way == 1


async def test_requests_do_not_pile_up_when_answers_take_longer_than_the_interval() -> None:
    async def slow(path: str) -> tuple[int, bytes]:
        await asyncio.sleep(0.08)
        return await healthy(path)

    async with (
        serving(slow) as server,
        Reader(server.url) as reader,
        aclosing(Poller([reader], interval_s=0.05, query=Query(connections=False)).snapshots()) as snapshots,
    ):
        seen = [await anext(snapshots) for _ in range(4)]
    assert server.most_under_way == 1
    assert all(snapshot.took_s >= 0.08 for snapshot in seen)


async def test_a_changed_query_is_asked_at_once_when_woken() -> None:
    async with serving(healthy) as server, Reader(server.url) as reader:
        poller = Poller([reader], interval_s=60)
        async with aclosing(poller.snapshots()) as snapshots:
            await anext(snapshots)
            poller.query = Query(sort="rtt", limit=5, subs="detail", closed=True)
            poller.wake()
            await asyncio.wait_for(anext(snapshots), 5)
    assert server.paths == [
        *("/varz", "/connz?limit=1024"),
        *("/varz", "/connz?limit=5&sort=rtt&subs=detail", "/connz?limit=5&sort=stop&state=closed"),
    ]


async def test_a_refused_query_leaves_the_server_readable() -> None:
    async def picky(path: str) -> tuple[int, bytes]:
        return await healthy(path) if "varz" in path else (400, b"invalid sorting option: zork")

    async with (
        serving(picky) as server,
        Reader(server.url) as reader,
        aclosing(Poller([reader], query=Query(sort="zork")).snapshots()) as snapshots,
    ):
        snapshot = await anext(snapshots)
    assert snapshot.varz
    assert snapshot.error.endswith("invalid sorting option: zork")


async def test_a_server_can_join_while_others_are_polled_but_only_once() -> None:
    async with serving(healthy) as one, serving(healthy) as two, Reader(one.url) as first, Reader(two.url) as second:
        poller = Poller([first], interval_s=0.05)
        async with aclosing(poller.snapshots()) as snapshots:
            await anext(snapshots)
            poller.add(second)
            async with Reader(two.url) as again:
                poller.add(again)
            async for snapshot in snapshots:
                if snapshot.server == two.url:
                    break
    assert poller.servers == [one.url, two.url]


async def test_every_reading_is_recorded_before_it_is_shown() -> None:
    readings: list[Reading] = []
    async with (
        serving(healthy) as server,
        Reader(server.url) as reader,
        aclosing(Poller([reader], interval_s=0.05, record=readings.append).snapshots()) as snapshots,
    ):
        shown = [await anext(snapshots) for _ in range(3)]
    assert [reading.varz for reading in readings[:3]] == [snapshot.varz for snapshot in shown]


async def test_a_recording_that_fails_ends_the_poll_with_its_own_error() -> None:
    def record(reading: Reading) -> None:
        raise NatsctlError("disk full")

    async with serving(healthy) as server, Reader(server.url) as reader:
        with pytest.raises(NatsctlError, match="disk full"):
            await Poller([reader], record=record).run(lambda snapshot: None)


async def test_polling_ends_when_the_iterator_is_closed() -> None:
    async with serving(healthy) as server, Reader(server.url) as reader:
        async with aclosing(Poller([reader], interval_s=0.05).snapshots()) as snapshots:
            await anext(snapshots)
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("poll")]
