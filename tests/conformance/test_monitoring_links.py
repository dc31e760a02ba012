"""Pages about routes and leafnodes, of our servers and of nats-server's in the same surroundings.

The official ones have a single connection per peer and no compression, as ours.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.http import ask, monitor_port
from tests.support.leaves import leaf_server, until_joined
from tests.support.nodes import Node, Nodes, running_nodes, until
from tests.support.process import NATSCTL, nats_server, running_server
from tests.support.rig import ENGINES
from tests.support.tls import Pki
from tests.support.wire import WireClient

OWN = {"natsctl", "git_commit", "feature_flags", "imports", "http_req_stats"}
"""Keys that only one of the two has, or that depend on who asked before."""
ALONE = 'pool_size: -1, compression: "off"'
PATHS = (
    "/varz",
    "/routez",
    "/routez?subs=1",
    "/routez?subs=detail",
    "/leafz",
    "/leafz?subs=1",
    "/leafz?acc=$G",
    "/leafz?acc=NOPE",
    "/connz",
    "/connz?subs=1&auth=1",
    "/connz?subs=detail",
    "/connz?sort=bytes_from",
    "/connz?acc=$G",
    "/connz?state=closed&subs=detail&auth=1",
    "/connz?state=any",
    "/subsz",
    "/subsz?subs=1&acc=$G",
    "/accountz?acc=$G",
    "/accstatz",
)
FIGURES = ("name", "kind", "is_spoke", "in_msgs", "out_msgs", "in_bytes", "out_bytes", "reason", "account")
NAMES = ("hub", "seed's", "leafnode")


def subject_of(item: Any) -> str:
    """The subject that an item of a list shows, if that is what it is about."""
    return str(item.get("subject", "") if isinstance(item, dict) else item)


def is_internal(item: Any) -> bool:
    """Whether an item of a list is a subscription of a server itself, which are many in nats-server."""
    return subject_of(item).startswith(("$SYS", "$JS", "$LDS"))


def shape(value: Any) -> Any:
    """Keys in their order, and kinds of values; lists in the order of what they show, but subjects sorted."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items() if key not in OWN]
    if isinstance(value, list):
        kept = [item for item in value if not is_internal(item)]
        return [shape(item) for item in sorted(kept, key=subject_of)]
    return "number" if type(value) in (int, float) else type(value).__name__


def figures(page: Any) -> list[list[Any]]:
    """What is the same in each run of what a page says about connections."""
    rows = page.get("leafs", page.get("connections"))
    if not isinstance(rows, list):  # in /varz it is their number
        return []
    return [[row.get(key) for key in FIGURES] for row in rows]


Pages = dict[tuple[str, str], Any]


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return asyncio.run(pages_of("nats-server", tmp_path_factory.mktemp("theirs")))


@pytest.fixture(scope="module", params=ENGINES)
def ours(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return asyncio.run(pages_of("natsctl", tmp_path_factory.mktemp("ours"), request.param))


async def pages_of(kind: str, directory: Path, engine: str = "auto") -> Pages:
    """Let two servers and a leafnode of the first be there, another leafnode go, and messages pass both ways."""
    with ExitStack() as stack:
        more = ALONE if kind == "nats-server" else ""
        config = 'leafnodes { listen: "127.0.0.1:-1" }'
        mesh = stack.enter_context(
            running_nodes(directory, [kind, kind], by_seed=True, more=more, config=config, engine=engine)
        )
        await mesh.until_full()
        for name in ("gone", "leaf"):
            url = f"nats://127.0.0.1:{mesh[0].page('/varz')['leaf']['port']}"
            leaf = leaf_server(f"{kind}/{engine}", name, directory, remotes=[url])
            leaf.start()
            stack.callback(leaf.stop)
            await until_joined(mesh[0], [name])
            if name == "gone":
                leaf.stop()
                await until_joined(mesh[0], [])
        return await talk(mesh, leaf)


async def talk(mesh: Nodes, leaf: Node) -> Pages:
    nodes = [*mesh, leaf]
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(await WireClient.open(node.server.port, name=f"on {name}"))
            for node, name in zip(nodes, NAMES, strict=True)
        ]
        for index, client in enumerate(clients):
            await client.send(b"SUB to.%d 1\r\n" % index)
            await client.sync()
        for client in clients[:2]:  # nats-server tells its own kind of queue groups at leafnodes apart
            await client.send(b"SUB work workers 2\r\n")
            await client.sync()
        await mesh[0].until_wanted("work")
        await mesh[1].until_wanted("to.2")
        await until(lambda: "to.0" in leaf.page("/leafz?subs=1")["leafs"][0]["subscriptions_list"])
        await clients[1].send(b"PUB to.0 2\r\nhi\r\n")
        await clients[2].send(b"PUB to.0 5\r\nhello\r\n")
        for _ in range(2):
            assert await clients[0].read()
        for node in nodes:
            node.page("/varz")
        return {(name, path): node.page(path) for node, name in zip(nodes, NAMES, strict=True) for path in PATHS}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", NAMES)
def test_a_page_about_links_has_nats_servers_keys_in_its_order(
    theirs: Pages, ours: Pages, name: str, path: str
) -> None:
    assert shape(ours[name, path]) == shape(theirs[name, path])
    assert figures(ours[name, path]) == figures(theirs[name, path])


@pytest.mark.parametrize("name", NAMES)
def test_varz_counts_links_as_nats_server(theirs: Pages, ours: Pages, name: str) -> None:
    keys = ("connections", "total_connections", "routes", "remotes", "leafnodes", "in_client_msgs", "out_client_msgs")
    counted, expected = ([pages[name, "/varz"][key] for key in keys] for pages in (ours, theirs))
    assert counted == expected


def test_interest_of_other_servers_is_on_no_page_of_subscriptions(ours: Pages) -> None:
    listed = [row["subject"] for row in ours["seed's", "/subsz?subs=1&acc=$G"]["subscriptions_list"]]
    assert sorted(subject for subject in listed if not is_internal(subject)) == ["to.1", "work"]
    (row,) = ours["seed's", "/connz?subs=1&auth=1"]["connections"]
    assert row["subscriptions_list"] == ["to.1", "work"]


def test_varz_tells_of_certificates_and_rights_of_links(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    config = (
        f'http: "127.0.0.1:-1"\ncluster {{ name: C, listen: "127.0.0.1:-1", write_deadline: "3s", {pki.block()}\n'
        "permissions { import: { allow: [a, b] }, export: { deny: c } } }\n"
        f'leafnodes {{ listen: "127.0.0.1:-1", authorization {{ timeout: 3 }}, write_deadline: "3s", {pki.block()} }}\n'
    )
    pages = []
    for name, command in (("theirs", nats_server()), ("ours", NATSCTL)):
        (tmp_path / name).mkdir()
        with running_server(command, tmp_path / name, config) as running:
            varz, routez = (ask(monitor_port(running), path).document for path in ("/varz", "/routez"))
        ports = [varz["cluster"].pop("cluster_port"), varz["leaf"].pop("port"), varz["cluster"].pop("pool_size")]
        assert all(ports)
        pages.append([varz["cluster"], varz["leaf"], routez["import"], routez["export"]])
    assert pages[1] == pages[0]
