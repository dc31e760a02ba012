"""The listings of chapter 7 of "Practical NATS": the monitoring port, asked as the reader asks it, and nats-top.

Each is played to both servers. What the page fetches with curl is fetched and also read by our commands; what it shows
of nats-top is looked for on the screen of ``natsctl top``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.http import ask, monitor_port
from tests.support.nodes import running_nodes
from tests.support.process import NATSCTL, nats_server, running_server
from tests.support.terminal import Terminal
from tests.support.wire import WireClient, connect_line

COLUMNS = 160
N_OTHERS = 15
"""So many clients there are besides "sub" and "pub": 17 in all, as on the page."""
VARZ_OF_THE_BOOK = (
    "server_id version go host port auth_timeout max_connections ping_interval ping_max http_host http_port https_port "
    "max_control_line max_payload cluster tls_timeout start now uptime mem cores cpu connections total_connections "
    "routes remotes in_msgs out_msgs in_bytes out_bytes slow_consumers subscriptions http_req_stats config_load_time"
)
CONNECTION_OF_THE_BOOK = (
    "cid ip port start last_activity uptime idle pending_bytes in_msgs out_msgs in_bytes out_bytes subscriptions name "
    "lang version"
)
ROUTE_OF_THE_BOOK = (
    "rid remote_id did_solicit is_configured ip port pending_size in_msgs out_msgs in_bytes out_bytes subscriptions"
)
SUBSZ_OF_THE_BOOK = (
    "num_subscriptions num_cache num_inserts num_removes num_matches cache_hit_rate max_fanout avg_fanout"
)
COLUMNS_OF_NATS_TOP = "HOST CID NAME SUBS PENDING MSGS_TO MSGS_FROM BYTES_TO BYTES_FROM LANG VERSION UPTIME"
COUNTERS = ("in_msgs", "out_msgs", "in_bytes", "out_bytes", "subscriptions")


@dataclass(frozen=True)
class Monitored:
    """A server started as in 4-6 and 7-1: without times in its log, with a monitoring port."""

    port: int
    http: int

    def curl(self, path: str) -> Any:
        """What curl shows of a page."""
        answer = ask(self.http, path)
        assert answer.status == 200
        assert answer.media_type == "application/json"
        return answer.document

    def natsctl(self, *args: str) -> str:
        """What one of our commands writes of this server."""
        command = [sys.executable, "-m", "natsctl", *args]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    def read(self, *args: str) -> Any:
        """The document that one of our commands reads."""
        return json.loads(self.natsctl(*args, "-m", str(self.http), "--json"))

    async def client(self, name: str, said: bytes = b"") -> WireClient:
        """A client of the page, after it has said something."""
        client = await WireClient.open(self.port)
        await client.send(connect_line(name=name, lang="go", version="1.2.2") + said)
        await client.sync()
        return client


@pytest.fixture(params=["natsctl", "nats-server"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Monitored]:
    command = NATSCTL if request.param == "natsctl" else nats_server()
    with running_server(command, tmp_path, 'logtime = false\nhttp = "127.0.0.1:-1"\n') as running:
        yield Monitored(running.port, monitor_port(running))


@pytest.fixture
async def program(server: Monitored) -> AsyncIterator[None]:
    """The clients of 7-6: "sub" publishes ten messages to "pub", as the page has their names swapped."""
    receiver = await server.client("pub", b"SUB hello 1\r\n")
    sender = await server.client("sub", b"PUB hello 5\r\nworld\r\n" * 10)
    await receiver.sync()
    yield
    sender.close()
    receiver.close()


@pytest.fixture
async def crowd(server: Monitored) -> AsyncIterator[None]:
    """Seventeen clients: fifteen with a subscription more than the one before, "sub" with 20, and "pub"."""
    numbers = [*range(N_OTHERS), 20]
    clients = []
    for number in numbers:
        name = "sub" if number == 20 else f"client-{number}"
        clients.append(await server.client(name, b"".join(b"SUB hello %d\r\n" % sid for sid in range(number))))
    clients.append(await server.client("pub", b"PUB hello 5\r\nworld\r\n" * 10))
    for client in clients:
        await client.sync()
    yield
    for client in clients:
        client.close()


@contextmanager
def nats_top(server: Monitored, *args: str) -> Iterator[Terminal]:
    """What 7-21 types, until it has shown something."""
    command = [sys.executable, "-m", "natsctl", "top", "-s", "127.0.0.1", "-m", str(server.http), "-d", "0.2"]
    terminal = Terminal(*command, *args, rows=24, columns=COLUMNS)
    try:
        terminal.wait_for_words("slow consumers")
        yield terminal
        terminal.type(b"q")
        assert terminal.exit_code() == 0
        assert terminal.is_restored
    finally:
        terminal.close()


def by_name(connz: Any) -> dict[str, Any]:
    return {row["name"]: row for row in connz["connections"]}


# ---- /varz


def test_7_1_each_page_is_counted(server: Monitored) -> None:
    for asked in (1, 2, 3):
        assert server.curl("/varz")["http_req_stats"]["/varz"] == asked
    server.curl("/connz")
    assert {"/varz": 4, "/connz": 1}.items() <= server.curl("/varz")["http_req_stats"].items()


def test_7_2_varz_is_watched(server: Monitored) -> None:
    watch = [sys.executable, "-m", "natsctl", "varz", "-m", str(server.http), "--json", "--watch", "0.1"]
    with subprocess.Popen(watch, stdout=subprocess.PIPE) as process:
        assert process.stdout
        for asked in (1, 2, 3):
            assert b'    "/varz": %d\n' % asked in iter(process.stdout.readline, b"")
        process.terminate()


def test_7_3_and_7_4_varz_has_the_fields_of_the_page(server: Monitored) -> None:
    varz = server.curl("/varz")
    assert set(VARZ_OF_THE_BOOK.split()) <= varz.keys()
    assert server.read("varz").keys() == varz.keys()
    assert f"127.0.0.1:{server.port}" in server.natsctl("varz", "-m", str(server.http))


def test_7_5_a_benchmark_moves_varz(server: Monitored) -> None:
    server.natsctl("bench", "-s", f"nats://127.0.0.1:{server.port}", "-np", "1", "-ns", "1", "-n", "1000", "foo")
    varz = server.curl("/varz")
    assert varz["in_msgs"] >= 1000
    assert varz["out_bytes"] >= 1000 * 128
    assert varz["total_connections"] >= 2


# ---- /connz


@pytest.mark.usefixtures("program")
def test_7_6_to_7_10_connz_shows_who_published_and_who_received(server: Monitored) -> None:
    for connz in (server.curl("/connz"), server.read("connz")):
        assert [connz[key] for key in ("num_connections", "total", "offset", "limit")] == [2, 2, 0, 1024]
        rows = by_name(connz)
        assert all(set(CONNECTION_OF_THE_BOOK.split()) <= row.keys() for row in rows.values())
        assert [rows["sub"][key] for key in COUNTERS] == [10, 0, 50, 0, 0]
        assert [rows["pub"][key] for key in COUNTERS] == [0, 10, 0, 50, 1]


@pytest.mark.usefixtures("program")
def test_7_11_connz_lists_subscriptions(server: Monitored) -> None:
    for connz in (server.curl("/connz?subs=1"), server.read("connz", "--subs")):
        assert by_name(connz)["pub"]["subscriptions_list"] == ["hello"]
        assert "subscriptions_list" not in by_name(connz)["sub"]


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize(("offset", "names"), [(0, ["client-0"]), (16, ["pub"]), (17, []), (100, [])])
def test_7_12_and_7_13_connz_has_pages(server: Monitored, offset: int, names: list[str]) -> None:
    for connz in (
        server.curl(f"/connz?limit=1&offset={offset}"),
        server.read("connz", "--limit", "1", "--offset", str(offset)),
    ):
        assert [connz[key] for key in ("num_connections", "total", "offset", "limit")] == [len(names), 17, offset, 1]
        assert list(by_name(connz)) == names


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize("sort", ["subs", "msgs_to", "bytes_to"])
def test_7_14_and_7_15_connz_is_sorted(server: Monitored, sort: str) -> None:
    for connz in (server.curl(f"/connz?sort={sort}&limit=3"), server.read("connz", "--sort", sort, "--limit", "3")):
        assert list(by_name(connz)) == ["sub", "client-14", "client-13"]


# ---- /routez and /subsz


def test_7_17_a_server_alone_has_no_routes(server: Monitored) -> None:
    for routez in (server.curl("/routez?subs=1"), server.read("routez", "--subs")):
        assert [routez["num_routes"], routez["routes"]] == [0, []]


@pytest.mark.parametrize("kind", ["natsctl", "nats-server"])
async def test_7_16_to_7_19_each_server_of_a_cluster_shows_its_routes(kind: str, tmp_path: Path) -> None:
    with running_nodes(tmp_path, [kind] * 3, by_seed=True) as nodes:  # 7-16
        await nodes.until_full()
        async with await WireClient.open(nodes[0].server.port) as client:
            await client.send(b"SUB hello 1\r\n")
            for node in nodes[1:]:
                await node.until_wanted("hello")  # 7-18
            for node in nodes:
                server = Monitored(node.server.port, monitor_port(node.server))
                for routez in (server.curl("/routez?subs=1"), server.read("routez", "--subs")):
                    routes = routez["routes"]
                    assert all(set(ROUTE_OF_THE_BOOK.split()) <= route.keys() for route in routes)
                    assert len({route["remote_id"] for route in routes}) == 2  # 7-19
                    assert routez["num_routes"] == len(routes)
                    assert kind == "nats-server" or len(routes) == 2, "as on the page, one for each of the others"
                    hello = [route for route in routes if "hello" in route.get("subscriptions_list", ())]
                    assert [route["remote_name"] for route in hello] == ([] if node is nodes[0] else ["n0"])
                assert "to 2 servers" in server.natsctl("routez", "-m", str(server.http))


@pytest.mark.usefixtures("program")
def test_7_20_subsz_counts_what_the_sublist_did(server: Monitored) -> None:
    for subsz in (server.curl("/subsz"), server.read("subsz")):
        assert set(SUBSZ_OF_THE_BOOK.split()) <= subsz.keys()
        assert subsz["num_subscriptions"] >= 1
        assert subsz["num_matches"] >= 1


# ---- nats-top


@pytest.mark.usefixtures("program")
def test_7_21_to_7_23_top_shows_the_server_and_its_connections(server: Monitored) -> None:
    with nats_top(server) as terminal:
        for words in ("CPU", "memory", "In 10 msgs", "50 bytes", "Out 10 msgs", "2 of 2 connections"):
            terminal.wait_for_words(words)
        for column in COLUMNS_OF_NATS_TOP.split():
            terminal.wait_for_words(column)
        terminal.wait_for_words("go 1.2.2")


def test_7_24_top_tells_its_keys(server: Monitored) -> None:
    with nats_top(server) as terminal:
        terminal.type(b"?")
        terminal.wait_for_words("all keys")
        for key, does in (("o", "Sort"), ("n", "Limit"), ("s", "Subs"), ("d", "DNS"), ("q", "Quit")):
            terminal.wait_for_words(f" {key} {does} ")


@pytest.mark.usefixtures("crowd")
def test_7_25_top_is_sorted_by_what_is_typed(server: Monitored) -> None:
    with nats_top(server, "-n", "1") as terminal:
        terminal.wait_for_words(" client-0 ")
        terminal.type(b"o")
        terminal.wait_for_words("sort by [cid]:")
        terminal.type(b"msgs_to\r")
        terminal.wait_for_words(" sub ")


@pytest.mark.usefixtures("crowd")
def test_7_25_top_may_begin_sorted(server: Monitored) -> None:
    table = server.natsctl("top", "-s", "127.0.0.1", "-m", str(server.http), "-n", "3", "-sort", "msgs_to", "--once")
    assert [name for name in table.split() if name in ("sub", "client-14", "client-13")] == [
        "sub",
        "client-14",
        "client-13",
    ]
