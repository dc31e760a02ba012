"""The dashboard before real servers, which are killed and started again."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import nats
import nats.errors
import pytest
from nats.aio.client import Client as NATS

from natsctl.ops.sources import open_source
from natsctl.ops.watch import Watch
from natsctl.tui.app import TopApp
from natsctl.tui.board import Board
from natsctl.tui.widgets.status import StatusLine
from tests.support.process import nats_server

WAIT_S = 20.0
SERVERS: dict[str, Callable[[], tuple[str, ...]]] = {
    "natsctl": lambda: (sys.executable, "-m", "natsctl", "server"),
    "nats-server": nats_server,
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Server:
    """A server on fixed ports, so that it can come back to where it was."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self._command = command
        self.port, self.http_port = free_port(), free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    async def start(self) -> None:
        args = ("-a", "127.0.0.1", "-p", str(self.port), "-m", str(self.http_port))
        quiet = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(*self._command, *args, stdout=quiet, stderr=quiet)

    async def kill(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@pytest.fixture(params=SERVERS)
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    made = Server(SERVERS[request.param]())
    await made.start()
    yield made
    await made.kill()


@asynccontextmanager
async def watching(server: Server) -> AsyncIterator[TopApp]:
    watch = Watch(servers=(server.url,), interval_s=0.1)
    source = open_source(watch)
    app = TopApp(Board(watch, source))
    try:
        async with app.run_test(size=(120, 30)):
            yield app
    finally:
        app.board.close()
        await source.close()


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for something to be seen; a poll has no event of its own."""
    async with asyncio.timeout(WAIT_S):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def connected(server: Server, name: str) -> NATS:
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                return await nats.connect(f"nats://127.0.0.1:{server.port}", name=name, allow_reconnect=False)
            except (OSError, nats.errors.Error):
                await asyncio.sleep(0.05)


async def test_a_server_is_killed_and_comes_back(server: Server) -> None:
    async with watching(server) as app:

        def names() -> list[str]:
            return [row.conn.name for row in app.screen_stack[1].query_one("TopScreen > LineTable").rows]  # type: ignore[attr-defined]  # a LineTable

        def status() -> str:
            return app.screen_stack[1].query_one(StatusLine).render().plain

        client = await connected(server, "first")
        for _ in range(100):
            await client.publish("rides.new", b"x" * 64)
        await client.flush()
        await until(lambda: names() == ["first"])
        await server.kill()
        await until(lambda: "refuses connections; data is" in status())
        assert names() == ["first"], "the last good data stays"
        await server.start()
        again = await connected(server, "second")
        await until(lambda: names() == ["second"])
        assert "restarted" in status()
        snapshot = app.board.snapshot(server.url)
        assert snapshot
        assert snapshot.rates is None or snapshot.rates.in_msgs_per_s >= 0
        assert all(value >= 0 for value in app.board.series(server.url, "in_msgs_per_s", 900) if value == value)
        await again.close()
        await client.close()
