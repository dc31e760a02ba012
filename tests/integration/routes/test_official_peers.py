"""Our server and the official one, where they should not or cannot work together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from nats.aio.client import Client

from tests.support.nodes import Node, free_ports, until

OURS, OFFICIAL = "natsctl", "nats-server"
ways = pytest.mark.parametrize(("caller", "called"), [(OURS, OFFICIAL), (OFFICIAL, OURS)])


@contextmanager
def pair(
    directory: Path,
    caller: str,
    called: str,
    *,
    login: str = "",
    names: tuple[str, str] = ("a", "b"),
    clusters: tuple[str, str] = ("C", "C"),
    more: tuple[str, str] = ("", ""),
) -> Iterator[tuple[Node, Node]]:
    """Run two servers, the first of which connects to the second; each ``more`` goes into a ``cluster`` block."""
    ports = free_ports(2)
    routes = f'routes: ["nats://{login}127.0.0.1:{ports[1]}"]'
    with ExitStack() as stack:
        nodes = []
        for index, kind in enumerate((caller, called)):
            listen = f'listen: "127.0.0.1:{ports[index]}"'
            cluster = f"cluster {{ name: {clusters[index]}, {listen}\n{more[index]}\n{routes if index == 0 else ''} }}"
            config = f'server_name: {names[index]}\nhttp: "127.0.0.1:-1"\n{cluster}\n'
            nodes.append(Node(kind, names[index], ports[index], config, directory / str(index), "auto"))
        for node in reversed(nodes):
            stack.callback(node.stop)
            node.start()
        yield nodes[0], nodes[1]


async def until_logged(node: Node, *texts: str) -> None:
    await until(lambda: all(text in node.server.log() for text in texts), f"{texts} are not in the log of {node.name}")


@ways
async def test_a_wrong_login_is_refused(caller: str, called: str, tmp_path: Path) -> None:
    secret = "authorization { user: ru, password: rp }"
    with pair(tmp_path, caller, called, login="ru:s3cret@", more=("", secret)) as (a, b):
        await until_logged(a, "Route Error 'Authorization Violation'")
        await until_logged(b, 'authentication error - User "ru"')
        assert b.peers() == []
        assert "s3cret" not in b.server.log()


@ways
async def test_a_right_login_is_accepted(caller: str, called: str, tmp_path: Path) -> None:
    secret = "authorization { user: ru, password: rp }"
    with pair(tmp_path, caller, called, login="ru:rp@", more=(secret, secret)) as (a, b):
        await a.until_peers(["b"])
        await b.until_peers(["a"])


@ways
async def test_clusters_of_other_names_stay_apart(caller: str, called: str, tmp_path: Path) -> None:
    with pair(tmp_path, caller, called, clusters=("C", "D")) as (a, b):
        await until_logged(b, 'Rejecting connection, cluster name "C" does not match "D"')
        await until_logged(a, "Router connection closed: Cluster Name Conflict")
        assert a.peers() == b.peers() == []


@ways
async def test_servers_of_one_name_stay_apart(caller: str, called: str, tmp_path: Path) -> None:
    with pair(tmp_path, caller, called, names=("same", "same")) as (a, b):
        refusing = a if caller == OURS else b
        await until_logged(refusing, 'Remote server has a duplicate name: "same"')
        assert refusing.peers() == []


@ways
async def test_what_may_come_in_is_held_to_by_both(caller: str, called: str, tmp_path: Path) -> None:
    rights = "permissions { import: ['in.>'], export: ['out.>'] }"
    with pair(tmp_path, caller, called, more=("", rights)) as (a, b):
        await a.until_peers(["b"])
        await b.until_peers(["a"])
        inside, outside = await b.connect(), await a.connect()
        arrived = await inside.subscribe("in.*")
        left = await outside.subscribe("out.*")
        secret = await outside.subscribe("secret.*")
        other = await inside.subscribe("other.*")
        await inside.flush()
        await outside.flush()
        await a.until_wanted("in.*")
        await b.until_wanted("out.*")
        await outside.publish("other.a", b"no")
        await outside.publish("in.a", b"yes")
        await inside.publish("secret.a", b"no")
        await inside.publish("out.a", b"yes")
        await outside.flush()
        await inside.flush()
        assert (await arrived.next_msg(10)).subject == "in.a"
        assert (await left.next_msg(10)).subject == "out.a"
        assert secret.pending_msgs == other.pending_msgs == 0
        await close(inside, outside)


async def close(*clients: Client) -> None:
    for client in clients:
        await client.close()


async def test_our_call_to_a_port_for_clients_is_noticed(tmp_path: Path) -> None:
    (own,) = free_ports(1)
    with ExitStack() as stack:
        wrong = Node(OFFICIAL, "wrong", 0, 'http: "127.0.0.1:-1"\n', tmp_path / "wrong", "auto")
        stack.callback(wrong.stop)
        wrong.start()
        routes = f'routes: ["nats://127.0.0.1:{wrong.server.port}"]'
        cluster = f'cluster {{ name: C, listen: "127.0.0.1:{own}", {routes} }}\nhttp: "127.0.0.1:-1"\n'
        ours = Node(OURS, "ours", own, cluster, tmp_path / "ours", "auto")
        stack.callback(ours.stop)
        ours.start()
        await until_logged(ours, "attempted to connect to wrong port")
        assert ours.peers() == []


@ways
async def test_large_messages_and_headers_cross(caller: str, called: str, tmp_path: Path) -> None:
    with pair(tmp_path, caller, called) as (a, b):
        await a.until_peers(["b"])
        here, there = await a.connect(), await b.connect()
        for source, target, node in ((here, there, a), (there, here, b)):
            subscription = await target.subscribe(f"big.{node.name}")
            await target.flush()
            await node.until_wanted(f"big.{node.name}")
            for size in (0, 1, 70_000, 1_000_000):
                await source.publish(f"big.{node.name}", b"x" * size, headers={"Size": str(size)})
                message = await subscription.next_msg(10)
                assert (len(message.data), message.headers) == (size, {"Size": str(size)})
        await close(here, there)
