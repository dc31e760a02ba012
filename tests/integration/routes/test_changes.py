"""What a reload changes of a cluster that is there."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from natsctl.broker import Broker
from natsctl.config.options import ClusterOptions, Permission, Permissions
from natsctl.errors import ConfigError, ReloadError
from tests.support.nodes import until
from tests.support.routes import ALONE, calling, clustered, joined
from tests.support.tls import Pki
from tests.support.wire import WireClient


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Broker, Broker]]:
    """Two servers, the second of which connects to the first."""
    async with clustered("a") as a, clustered("b", cluster=calling(a)) as b:
        await until(lambda: a.mesh.routes and b.mesh.routes)
        yield a, b


async def change(broker: Broker, cluster: ClusterOptions) -> None:
    await broker.reload(replace(broker.options, cluster=cluster))


async def test_routes_that_are_new_are_made_and_others_ended(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "natsctl.broker")
    async with pair() as (a, b), clustered("c") as c:
        await change(b, calling(c))
        await until(lambda: c.mesh.routes)
        await until(lambda: not a.mesh.routes)
        assert "Reloaded: cluster routes" in caplog.text
        assert f"Removed route 127.0.0.1:{a.mesh.port}" in caplog.text
        await change(b, calling(a, c))
        await until(lambda: all(len(broker.mesh.routes) == 2 for broker in (a, b, c)))


async def test_a_server_that_is_called_in_vain_is_called_no_more() -> None:
    async with AsyncExitStack() as stack:
        gone = await stack.enter_async_context(clustered("gone"))
        b = await stack.enter_async_context(clustered("b", cluster=calling(gone)))
        await until(lambda: b.mesh.routes)
        await gone.stop()
        await until(lambda: b.mesh._caller._calls)
        await change(b, ALONE)
        assert not b.mesh._caller._calls


async def test_rights_hold_from_now_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "natsctl.broker")
    async with pair() as (a, b), await WireClient.open(a.port, protocol=0) as reader:
        await reader.send(b"SUB open 1\r\nSUB closed 2\r\n")
        await reader.sync()
        await until(lambda: wanted(b) >= {b"open", b"closed"})
        await change(a, replace(ALONE, permissions=Permissions(publish=Permission(deny=["closed"]))))
        await until(lambda: b"closed" not in wanted(b) and b"open" in wanted(b))
        assert "Reloaded: cluster\n" in caplog.text
        await change(a, ALONE)
        await until(lambda: wanted(b) >= {b"open", b"closed"})


def wanted(broker: Broker) -> set[bytes]:
    return {interest.subject for route in broker.mesh.routes.values() for interest in route.session.interests()}


async def test_a_new_name_is_taken_and_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "natsctl.broker")
    async with clustered() as broker, await WireClient.open(broker.port, protocol=1) as client:
        await client.sync()
        await client.read()  # the INFO that follows the first PONG
        await change(broker, replace(ALONE, name="D"))
        assert b'"cluster":"D"' in await client.read()
        assert "Cluster name updated to D" in caplog.text


async def test_clients_hear_when_servers_are_advertised_no_more() -> None:
    async with clustered() as broker, await WireClient.open(broker.port, protocol=1) as client:
        await client.sync()
        await client.read()  # the INFO that follows the first PONG
        await change(broker, replace(ALONE, no_advertise=True))
        assert b"connect_urls" not in await client.read()
        await change(broker, ALONE)
        assert b"connect_urls" in await client.read()
        async with joined(broker) as peer:
            await broker.reload(replace(broker.options, client_advertise="example.net:4333"))
            assert b"example.net:4333" in await client.read()
            await peer.sync()


async def test_a_login_is_asked_of_those_who_come_later() -> None:
    async with pair() as (a, b):
        await change(a, replace(ALONE, user="ru", password="rp"))
        assert b.mesh.routes
        (route,) = b.mesh.routes.values()
        assert route._transport is not None
        route._transport.abort()
        await until(lambda: not a.mesh.routes)
        await change(b, calling(a, login="ru:rp@"))
        await until(lambda: a.mesh.routes)


async def test_new_certificates_are_shown_to_those_who_come_later(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    first, second = pki.issue("first", "127.0.0.1", cn="first"), pki.issue("second", "127.0.0.1", cn="second")
    shown = replace(ALONE, tls=pki.options(first))
    async with clustered("a", cluster=shown) as a, clustered("b", cluster=calling(a, base=shown)) as b:
        await until(lambda: a.mesh.routes and b.mesh.routes)
        (old,) = b.mesh.routes.values()
        await change(a, replace(ALONE, tls=pki.options(second)))
        assert b.mesh.routes
        assert old._transport is not None
        old._transport.abort()
        await until(lambda: b.mesh.routes and old not in b.mesh.routes.values())
        (new,) = b.mesh.routes.values()
        assert old.tls is not None
        assert new.tls is not None
        assert old.tls.certificates[0] != new.tls.certificates[0]


async def test_what_cannot_change_says_so_and_nothing_does(tmp_path: Path) -> None:
    async with clustered() as broker:
        with pytest.raises(ReloadError, match="cluster host"):
            await change(broker, replace(ALONE, host="127.0.0.2", name="D"))
        broken = Pki(tmp_path).options()
        broken.ca_file = str(tmp_path / "nope.pem")
        with pytest.raises(ConfigError, match=r"nope\.pem"):
            await change(broker, replace(ALONE, name="D", tls=broken))
        assert broker.identity.cluster == "C"
