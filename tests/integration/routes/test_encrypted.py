"""Routes over TLS: both sides show certificates, and each looks at the other's."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from natsctl.broker import Broker
from natsctl.config.options import ClusterOptions, TlsOptions
from tests.support.nodes import running_nodes, until
from tests.support.routes import ALONE, calling, clustered
from tests.support.tls import HALF_HELLO, Pki
from tests.support.wire import WireClient

OURS, OFFICIAL = "natsctl", "nats-server"


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path)


def encrypted(tls: TlsOptions, *others: Broker, host: str = "127.0.0.1") -> ClusterOptions:
    routes = [f"nats://{host}:{other.mesh.port}" for other in others]
    return replace(ALONE, tls=tls, routes=routes)


async def test_a_route_is_encrypted_both_ways(pki: Pki, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "natsctl.broker")
    async with (
        clustered("a", cluster=encrypted(pki.options())) as a,
        clustered("b", cluster=encrypted(pki.options(), a)) as b,
        await WireClient.open(a.port, protocol=0) as reader,
        await WireClient.open(b.port, protocol=0) as writer,
    ):
        await until(lambda: a.mesh.routes and b.mesh.routes)
        assert all(route.tls is not None for broker in (a, b) for route in broker.mesh.routes.values())
        await reader.send(b"SUB big 1\r\n")
        await reader.sync()
        (route,) = b.mesh.routes.values()
        await until(lambda: any(interest.subject == b"big" for interest in route.session.interests()))
        await writer.send(b"PUB big 500000\r\n" + b"x" * 500_000 + b"\r\n")
        assert len(await reader.read()) > 500_000
        assert a.listeners()["cluster"] == [f"tls://127.0.0.1:{a.mesh.port}"]
    assert "Starting TLS route server handshake" in caplog.text
    assert "Starting TLS route client handshake" in caplog.text


@pytest.mark.parametrize("kinds", [(OURS, OFFICIAL, OURS), (OFFICIAL, OURS, OFFICIAL)], ids="-".join)
async def test_official_servers_and_ours_encrypt_alike(pki: Pki, tmp_path: Path, kinds: tuple[str, ...]) -> None:
    with running_nodes(tmp_path / "nodes", kinds, by_seed=True, more=pki.block()) as nodes:
        await nodes.until_full()


async def test_a_certificate_without_the_address_is_refused_in_known_words(
    pki: Pki, caplog: pytest.LogCaptureFixture
) -> None:
    named = pki.options(pki.issue("named", "localhost", cn="named"))
    async with (
        clustered("a", cluster=encrypted(named)) as a,
        clustered("b", cluster=encrypted(named, a)) as b,
    ):
        words = "because it doesn't contain any IP SANs (CN=named"
        await until(lambda: words in caplog.text)
        assert (
            "TLS route handshake error: tls: failed to verify certificate: x509: cannot validate certificate for "
            f"127.0.0.1 {words}" in caplog.text
        )
        await until(lambda: "TLS route handshake error: remote error: tls: bad certificate" in caplog.text)
        assert not b.mesh.routes


async def test_a_host_name_is_checked_also_of_those_known_by_address_alone(pki: Pki) -> None:
    named = pki.options(pki.issue("named", "localhost"))
    async with (
        clustered("seed", cluster=encrypted(named)) as seed,
        clustered("a", cluster=encrypted(named, seed, host="localhost")) as a,
        clustered("b", cluster=encrypted(named, seed, host="localhost")) as b,
    ):
        await until(lambda: all(len(broker.mesh.routes) == 2 for broker in (seed, a, b)))


async def test_who_shows_a_strange_certificate_stays_outside(
    pki: Pki, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "other").mkdir()
    stranger = Pki(tmp_path / "other")
    trusting = replace(stranger.options(), insecure=True)
    async with (
        clustered("a", cluster=encrypted(pki.options())) as a,
        clustered("b", cluster=encrypted(trusting, a)) as b,
    ):
        await until(lambda: "x509: certificate signed by unknown authority" in caplog.text)
        assert not a.mesh.routes
        await until(lambda: not b.mesh.routes)


async def test_a_server_in_clear_and_one_over_tls_do_not_meet(pki: Pki, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "natsctl.broker")
    async with clustered("a", cluster=encrypted(pki.options())) as a, clustered("b", cluster=calling(a)) as b:
        await until(lambda: "first record does not look like a TLS handshake" in caplog.text)
        assert not b.mesh.routes
        async with clustered("c", cluster=encrypted(pki.options(), b)) as c:
            await until(lambda: "127.0.0.1:" in caplog.text and "TLS route handshake error" in caplog.text)
            assert not c.mesh.routes


async def test_half_a_handshake_is_not_waited_for(pki: Pki) -> None:
    async with clustered("a", cluster=encrypted(pki.options(timeout_s=0.1))) as a:
        reader, writer = await asyncio.open_connection("127.0.0.1", a.mesh.port)
        writer.write(HALF_HELLO)
        assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize(("knows", "meets"), [("localhost", True), ("example.net", False)])
async def test_only_servers_of_known_hosts_may_be_let_in(
    pki: Pki, knows: str, meets: bool, caplog: pytest.LogCaptureFixture
) -> None:
    tls = pki.options(pki.issue("named", "localhost"))
    picky = replace(encrypted(tls), knows_urls=True, routes=[f"nats://{knows}:1"])
    async with (
        clustered("a", cluster=picky) as a,
        clustered("b", cluster=encrypted(tls, a, host="localhost")) as b,
    ):
        if meets:
            await until(lambda: a.mesh.routes and b.mesh.routes)
        else:
            await until(lambda: "authentication error" in caplog.text)
            assert not a.mesh.routes
