"""The pages of two servers that form a cluster, as recorded from nats-server 2.15.1."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.nodes import Node, free_ports
from tests.support.rig import ENGINES
from tests.support.shapes import ABSENT_KEYS, misfits
from tests.support.wire import WireClient

RECORDED = json.loads((Path(__file__).parent / "recordings" / "monitoring.json").read_text())["checks"]
CHECKS = {name.removeprefix("cluster/"): check for name, check in RECORDED.items() if name.startswith("cluster/")}
OF_POOLS = frozenset({"account"})
"""nats-server has a connection of its own for ``$SYS``, and says so; we have one for all accounts."""


@dataclass
class Seen:
    """What two servers say while the client of one hears that of the other; "m2" was told where "m1" is."""

    ports: tuple[int, ...]
    varz: tuple[Any, ...]
    routez: tuple[Any, ...]
    routez_with_subjects: tuple[Any, ...]
    info: dict[str, Any]
    message: bytes


@pytest.fixture(scope="module", params=ENGINES)
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    directory, ports = tmp_path_factory.mktemp("cluster"), free_ports(2)
    routes = ("", f'"nats://127.0.0.1:{ports[0]}"')
    with ExitStack() as stack:
        nodes = []
        for name, port, known in zip(("m1", "m2"), ports, routes, strict=True):
            block = f'cluster {{ name: MC, listen: "127.0.0.1:{port}", routes: [{known}] }}'
            config = f'server_name: {name}\nhttp: "127.0.0.1:-1"\n{block}\n'
            node = Node("natsctl", name, port, config, directory / name, request.param)
            node.start()
            stack.callback(node.stop)
            nodes.append(node)
        yield asyncio.run(look(*nodes))


async def look(first: Node, second: Node) -> Seen:
    for node, other in ((first, second), (second, first)):
        await node.until_peers([other.name])
    async with (
        await WireClient.open(first.server.port, name="onm1") as reader,
        await WireClient.open(second.server.port, name="onm2") as writer,
    ):
        await reader.send(b"SUB cross.x 1\r\n")
        await second.until_wanted("cross.x")
        await writer.send(b"PUB cross.x 2\r\nhi\r\n")
        message = await reader.read()
        return Seen(
            ports=(first.server.port, second.server.port),
            varz=(first.page("/varz"), second.page("/varz")),
            routez=(first.page("/routez"), second.page("/routez")),
            routez_with_subjects=(first.page("/routez?subs=1"), second.page("/routez?subs=1")),
            info=reader.info,
            message=message,
        )


def observe(seen: Seen, name: str) -> Any:
    """What a check looks at."""
    (ours, theirs), cluster = seen.varz, seen.varz[1]["cluster"]
    routes = [page["routes"] for page in seen.routez_with_subjects]
    found: dict[str, Callable[[], Any]] = {
        "formed": lambda: all(page["num_routes"] > 0 for page in seen.routez),
        "message crosses": lambda: seen.message == b"MSG cross.x 1 2\r\nhi",
        "keys /routez": lambda: seen.routez[0],
        "keys /routez?subs=1": lambda: seen.routez_with_subjects[1],
        "keys /varz cluster": lambda: cluster,
        "remote ids": lambda: (
            [{row["remote_id"] for row in rows} for rows in routes] == [{theirs["server_id"]}, {ours["server_id"]}]
        ),
        "remote names": lambda: [sorted({row["remote_name"] for row in rows}) for rows in routes],
        "did_solicit on the side with the route": lambda: [any(row["did_solicit"] for row in rows) for rows in routes],
        "routez num_routes equals list length": lambda: seen.routez[0]["num_routes"] == len(seen.routez[0]["routes"]),
        "varz routes equals routez": lambda: ours["routes"] == seen.routez[0]["num_routes"],
        "varz remotes": lambda: ours["remotes"],
        "subscription visible on m2 over the route": lambda: (
            [subject for row in routes[1] for subject in row["subscriptions_list"]] == ["cross.x"]
        ),
        "varz cluster name and urls": lambda: [
            cluster["name"],
            cluster["urls"] == [f"127.0.0.1:{ours['cluster']['cluster_port']}"],
            cluster["cluster_port"] not in (0, ours["cluster"]["cluster_port"]),
            cluster["addr"],
        ],
        "INFO values": lambda: {
            "cluster": seen.info["cluster"],
            "server_name": seen.info["server_name"],
            "connect_urls": [url.rpartition(":")[0] for url in seen.info["connect_urls"]],
        },
        "INFO connect_urls": lambda: (
            sorted(seen.info["connect_urls"]) == sorted(f"127.0.0.1:{port}" for port in seen.ports)
        ),
        "INFO keys": lambda: seen.info,
    }
    return found[name]()


@pytest.mark.parametrize("name", CHECKS)
def test_a_cluster_is_as_recorded(name: str, seen: Seen) -> None:
    check, observed = CHECKS[name], observe(seen, name)
    if check["kind"] == "shape":
        assert list(misfits(check["value"], observed, absent=ABSENT_KEYS | OF_POOLS)) == []
    else:
        assert observed == check["value"]
