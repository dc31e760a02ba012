"""Chapter 5 of "Practical NATS": clusters by flags, by files and from a seed, and HAProxy in front of one.

Where the page counts two routes, nats-server 2.15 has several connections to each server; who is connected is the same.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import nats
import pytest

from tests.support.http import ask
from tests.support.nodes import free_ports, until
from tests.support.process import NATSCTL, nats_server
from tests.support.wire import WireClient

Command = Callable[[], Sequence[str]]
servers = pytest.mark.parametrize("command", [lambda: NATSCTL, nats_server], ids=["natsctl", "nats-server"])
TIMEOUT_S = 10.0

HAPROXY = """
defaults
  timeout connect 5s
  timeout client 30s
  timeout server 30s

frontend nats
  bind 127.0.0.1:{port}
  mode tcp
  default_backend natsservers

backend natsservers
  mode tcp
  balance roundrobin
  option httpchk get /varz
  default-server inter 100ms fall 2 rise 1
{servers}
"""
"""5-19, with the timeouts and the mode that HAProxy asks for."""


class Node:
    """One server, on ports of its own."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, http: int, log: Path) -> None:
        self.process, self.port, self.http, self._log = process, port, http, log

    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def page(self, path: str) -> Any:
        return ask(self.http, path).document

    def peers(self) -> set[str]:
        return {row["remote_id"] for row in self.page("/routez")["routes"]}

    async def until_listening(self) -> None:
        await until(lambda: "Listening for route connections on" in self.log())

    async def until_peers(self, count: int) -> None:
        await until(lambda: len(self.peers()) == count)

    async def until_wanted(self, subject: str) -> None:
        await until(lambda: f'"{subject}"' in json.dumps(self.page("/routez?subs=1")))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Ports:
    """Ports of three nodes."""

    def __init__(self) -> None:
        found = free_ports(9)
        self.clients, self.routes, self.http = found[:3], found[3:6], found[6:]

    def url(self, index: int) -> str:
        return f"nats://127.0.0.1:{self.routes[index]}"

    @property
    def all_urls(self) -> str:
        return ",".join(self.url(index) for index in range(3))


@contextmanager
def running(
    command: Sequence[str], directory: Path, ports: Ports, arguments: Sequence[Sequence[str]]
) -> Iterator[list[Node]]:
    """Run nodes with these arguments."""
    nodes: list[Node] = []
    with ExitStack() as stack:
        for index, more in enumerate(arguments):
            log = directory / f"node{index}.log"
            with log.open("wb") as file:
                process = subprocess.Popen([*command, *more], stdout=file, stderr=file, cwd=directory)
            stack.callback(process.wait, 10)
            stack.callback(process.terminate)
            nodes.append(Node(process, ports.clients[index], ports.http[index], log))
        yield nodes


async def until_full(nodes: Sequence[Node]) -> None:
    for node in nodes:
        await node.until_listening()
        await node.until_peers(len(nodes) - 1)


def flags(ports: Ports, index: int, routes: str, *more: str) -> list[str]:
    """5-1: what is typed for one node."""
    addresses = ["-p", str(ports.clients[index]), "-cluster", ports.url(index), "-m", str(ports.http[index])]
    return ["-a", "127.0.0.1", "-cluster_name", "book", *addresses, "-routes", routes, *more]


async def check_cluster(nodes: Sequence[Node]) -> None:
    """5-3 to 5-9: clients hear of all servers, messages cross, and a client whose server dies goes on elsewhere."""
    ports = {str(node.port) for node in nodes}
    async with await WireClient.open(nodes[0].port) as reader, await WireClient.open(nodes[2].port) as writer:
        assert {url.rpartition(":")[2] for url in reader.info["connect_urls"]} == ports  # 5-3
        await reader.send(b"SUB > 1\r\n")
        assert await reader.read() == b"+OK"
        while not await heard(reader, writer):  # 5-4, 5-7; the first may come before the interest is known
            pass
    lost = await nats.connect(f"nats://127.0.0.1:{nodes[2].port}", reconnect_time_wait=0.1)
    subscription = await lost.subscribe("hello")
    await lost.flush()
    nodes[2].kill()  # 5-8
    await until(lambda: lost.is_connected and lost.connected_url and lost.connected_url.port != nodes[2].port)
    await lost.flush()
    async with await WireClient.open(nodes[0].port) as writer:
        while not subscription.pending_msgs:
            await writer.send(b"PUB hello 5\r\nworld\r\n")
            await writer.read()
            await asyncio.sleep(0.05)  # for the message to come: no event tells that it will not
    assert (await subscription.next_msg(TIMEOUT_S)).data == b"world"  # 5-9
    await lost.close()


async def heard(reader: WireClient, writer: WireClient) -> bool:
    await writer.send(b"PUB hello 5\r\nworld\r\n")
    assert await writer.read() == b"+OK"
    await reader.send(b"PING\r\n")
    frames = await reader.read_until(b"PONG")
    return b"MSG hello 1 5\r\nworld" in frames


@servers
async def test_three_nodes_by_flags(command: Command, tmp_path: Path) -> None:
    ports = Ports()
    typed = [flags(ports, index, ports.all_urls) for index in range(3)]  # 5-1, 5-2
    with running(command(), tmp_path, ports, typed) as nodes:
        await until_full(nodes)
        await check_cluster(nodes)


@servers
async def test_three_nodes_by_files(command: Command, tmp_path: Path) -> None:
    ports = Ports()
    routes = "\n".join(f"    {ports.url(index)}" for index in range(3))
    for index in range(3):  # 5-10 to 5-12
        (tmp_path / f"node{index}.conf").write_text(
            f"listen = 127.0.0.1:{ports.clients[index]}\nhttp = 127.0.0.1:{ports.http[index]}\n"
            f"cluster {{\n  name = book\n  listen = 127.0.0.1:{ports.routes[index]}\n  routes = [\n{routes}\n  ]\n}}\n"
        )
    with running(command(), tmp_path, ports, [["-c", f"node{index}.conf"] for index in range(3)]) as nodes:
        await until_full(nodes)
        await check_cluster(nodes)


@servers
async def test_three_nodes_from_a_seed(command: Command, tmp_path: Path) -> None:
    ports = Ports()
    with running(
        command(), tmp_path, ports, [flags(ports, index, ports.url(0)) for index in range(3)]
    ) as nodes:  # 5-15
        await until_full(nodes)
        if command() == NATSCTL:
            document = nodes[0].page("/routez")  # 5-17
            assert document["num_routes"] == 2
            assert [(row["did_solicit"], row["is_configured"]) for row in document["routes"]] == [(False, False)] * 2
        await check_cluster(nodes)


@servers
@pytest.mark.parametrize("spelled", [("--no_advertise",), ("--no_advertise=true",)])
async def test_without_advertising(command: Command, tmp_path: Path, spelled: Sequence[str]) -> None:
    ports = Ports()
    typed = [flags(ports, index, ports.url(0), *spelled) for index in range(3)]  # 5-18
    with running(command(), tmp_path, ports, typed) as nodes:
        await until_full(nodes)
        for node in nodes:
            async with await WireClient.open(node.port) as client:
                assert "connect_urls" not in client.info


@contextmanager
def balanced(directory: Path, nodes: Sequence[Node]) -> Iterator[int]:
    """Run HAProxy in front of nodes; gives its port."""
    program = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("no haproxy: apt-get install haproxy")
    (port,) = free_ports(1)
    behind = "\n".join(f"  server n{node.port} 127.0.0.1:{node.port} check port {node.http}" for node in nodes)
    config = directory / "haproxy.cfg"
    config.write_text(HAPROXY.format(port=port, servers=behind))
    process = subprocess.Popen(
        [program, "-db", "-f", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


async def server_behind(port: int) -> int | None:
    """Which node a new connection through the balancer gets to."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return None
    line = await reader.readline()
    writer.close()
    return int(json.loads(line[5:])["port"]) if line else None


@servers
async def test_haproxy_in_front_of_three_nodes(command: Command, tmp_path: Path) -> None:
    ports = Ports()
    typed = [flags(ports, index, ports.all_urls, "-no_advertise=true") for index in range(3)]  # 5-20, 5-21
    with running(command(), tmp_path, ports, typed) as nodes:
        await until_full(nodes)
        with balanced(tmp_path, nodes) as port:
            found: list[int | None] = []
            while len(set(found[-3:])) < 3 or None in found[-3:]:
                found.append(await server_behind(port))
            assert [await server_behind(port) for _ in range(6)] == found[-3:] * 2
            subscriber = await nats.connect(f"nats://127.0.0.1:{port}")
            publisher = await nats.connect(f"nats://127.0.0.1:{port}")
            subscription = await subscriber.subscribe("hello")
            await subscriber.flush()
            for node in nodes:
                if node.port != subscriber._server_info["port"]:
                    await node.until_wanted("hello")
            for number in range(10):
                await publisher.publish("hello", b"%d" % number)  # 5-22
            got = [(await subscription.next_msg(TIMEOUT_S)).data for _ in range(10)]
            assert got == [b"%d" % number for number in range(10)]
            nodes[1].kill()
            while nodes[1].port in (found := [await server_behind(port) for _ in range(6)]) or None in found:
                pass
            assert set(found) == {nodes[0].port, nodes[2].port}
            await subscriber.close()
            await publisher.close()


@servers
async def test_a_port_for_routes_beside_those_for_clients_and_monitoring(command: Command, tmp_path: Path) -> None:
    ports = Ports()
    typed = ["-a", "127.0.0.1", "-p", str(ports.clients[0]), "-m", str(ports.http[0]), "--cluster", ports.url(0)]  # 4-7
    with running(command(), tmp_path, ports, [typed]) as (node,):
        address = f"127.0.0.1:{ports.routes[0]}"
        await until(lambda: f"Listening for route connections on {address}" in node.log())  # 4-8
        assert "Cluster name was dynamically generated, consider setting one" in node.log()
