"""TLS as nats-server 2.15.1 does it: recorded pages, and the same clients before both servers."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import urllib.request
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.process import NATSCTL, ServerProcess, nats_server, running_server
from tests.support.rig import ENGINES
from tests.support.tls import Pair, Pki, TlsClient
from tests.support.wire import PATIENCE_S, connect_line

CHECKS = json.loads((Path(__file__).parent / "recordings" / "monitoring.json").read_text())["checks"]
INFO_FIELDS = ("tls_required", "tls_verify", "tls_available", "auth_required")


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def alice(pki: Pki) -> Pair:
    return pki.issue("alice", "alice@example.com", "alice.example.com", cn="alice")


def page(server: ServerProcess, path: str, context: ssl.SSLContext) -> Any:
    found = re.search(r"Starting (https?) monitor on (\S+)", server.log())
    assert found, server.log()
    with urllib.request.urlopen(f"{found[1]}://{found[2]}{path}", context=context, timeout=PATIENCE_S) as answer:
        return json.load(answer)


@pytest.mark.parametrize("engine", ENGINES)
async def test_the_pages_over_https_are_as_recorded(pki: Pki, tmp_path: Path, engine: str) -> None:
    context = pki.trust()
    with running_server(NATSCTL, tmp_path, f'https: "127.0.0.1:-1"\n{pki.block()}', engine) as server:
        async with await TlsClient.open(server.port, context, protocol=0) as client:
            await client.send(connect_line(lang="raw", version="1", **{"name": "tlsclient"}))
            await client.sync()
            info = {key: client.info.get(key, "<absent>") for key in INFO_FIELDS}
            varz, connz = page(server, "/varz", context), page(server, "/connz", context)
    assert info == CHECKS["info/tls values"]["value"]
    seen = [varz["tls_required"], varz.get("tls_verify", False), varz["https_port"] > 0, varz["http_port"]]
    assert seen == CHECKS["tls/https varz"]["value"]
    (row,) = connz["connections"]
    assert row["tls_version"] in ("1.2", "1.3")
    assert row["tls_cipher_suite"].startswith("TLS_")
    assert row.keys() == CHECKS["tls/connz keys"]["value"][0].keys()


# ---- both servers at once

Play = Callable[[int, Pki, Pair], Awaitable[list[Any]]]


async def last_words(client: TlsClient) -> list[Any]:
    """What a client still gets, without the names and numbers of a server."""
    frames = await client.end()
    return [frame.partition(b" ")[0] if frame.startswith(b"INFO") else frame for frame in frames]


async def attempt(port: int, context: ssl.SSLContext, **options: Any) -> list[Any]:
    """Connect, and say what became of it; whether a refusal ends in FIN or RST is a matter of time."""
    try:
        async with await TlsClient.open(port, context, **options) as client:
            await client.send(b"PING\r\n")
            frames: list[bytes] = []
            while (frame := await client.read()) not in (b"PONG", b""):
                frames.append(frame)
            if not frame:
                return ["refused"]
            return [{key: client.info.get(key) for key in INFO_FIELDS}, frames, frame]
    except OSError:
        return ["refused"]


async def upgrade(port: int, pki: Pki, alice: Pair) -> list[Any]:
    return [await attempt(port, pki.trust(), protocol=0), await attempt(port, pki.trust(alice), protocol=0)]


async def old_version(port: int, pki: Pki, alice: Pair) -> list[Any]:
    context = pki.trust()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return await attempt(port, context, protocol=0)


async def first(port: int, pki: Pki, alice: Pair) -> list[Any]:
    return await attempt(port, pki.trust(), first=True, protocol=0)


async def nonsense(port: int, pki: Pki, alice: Pair) -> list[Any]:
    async with await TlsClient.connect(port) as client:
        greeting = await client.greeting()
        await client.send(b"CONNECT {}\r\nPING\r\n")
        return [greeting.get("tls_required"), await last_words(client)]


async def clear(port: int, pki: Pki, alice: Pair) -> list[Any]:
    async with await TlsClient.connect(port) as client:
        await client.greeting()
        await client.send(connect_line(protocol=0))
        return [client.info.get("tls_available"), await client.sync()]


async def silence(port: int, pki: Pki, alice: Pair) -> list[Any]:
    async with await TlsClient.connect(port) as client:
        return await last_words(client)


async def many(port: int, pki: Pki, alice: Pair) -> list[Any]:
    seen: list[list[bytes]] = []
    for _ in range(3):
        async with await TlsClient.connect(port) as client:
            with suppress(OSError):
                await client.greeting()
                frames = []
                if not seen:
                    await client.encrypt(pki.trust())
                    frames = await client.sync()
                else:
                    frames = await client.end()
                seen.append(frames)
    return seen[1:]


CASES: dict[str, tuple[str, Play]] = {
    "required": ("", upgrade),
    "verify": ("verify: true", upgrade),
    "map": ("verify_and_map: true", upgrade),
    "1.2": ("", old_version),
    "only 1.3": ('min_version: "1.3"', old_version),
    "suite": ("cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]", old_version),
    "suite of others": ("cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]", old_version),
    "nonsense": ("", nonsense),
    "silence": ("timeout: 0.3", silence),
    "silence first": ("timeout: 0.3, handshake_first: true", silence),
    "silence auto": ("timeout: 0.3, handshake_first: auto", silence),
    "first": ("handshake_first: true", first),
    "first, auto": ("handshake_first: auto", first),
    "upgrade, auto": ("handshake_first: '30ms'", upgrade),
    "pinned": (f"verify: true, pinned_certs: ['{'0' * 64}']", upgrade),
    "rate": ("connection_rate_limit: 1", many),
}
MORE = {
    "map": "authorization { users: [{user: 'alice@example.com'}] }",
    "clear allowed": "allow_non_tls: true",
    "upgrade allowed": "allow_non_tls: true",
}
CASES |= {"clear allowed": ("", clear), "upgrade allowed": ("", upgrade)}


LEFT = {"Client Closed", "Read Error"}
"""How a client's own leaving is called, the one or the other as the last packets fall."""


async def refusals(server: ServerProcess, context: ssl.SSLContext) -> list[str]:
    """Why a server closed connections, once it knows that all are gone."""
    for _ in range(int(PATIENCE_S / 0.02)):
        if not page(server, "/connz", context)["total"]:
            closed = page(server, "/connz?state=closed", context)["connections"]
            return sorted({row["reason"] for row in closed} - LEFT)
        await asyncio.sleep(0.02)  # no event tells of it
    raise AssertionError("connections are left")


@pytest.mark.parametrize("name", CASES)
async def test_both_servers_treat_a_client_alike(name: str, pki: Pki, alice: Pair, tmp_path: Path) -> None:
    block, play = CASES[name]
    config = f'http: "127.0.0.1:-1"\n{pki.block(block)}{MORE.get(name, "")}'
    seen = []
    for number, command in enumerate((nats_server(), NATSCTL)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with running_server(command, folder, config) as server:
            async with asyncio.timeout(PATIENCE_S):
                came = await play(server.port, pki, alice)
            seen.append([came, await refusals(server, pki.trust())])
    theirs, ours = seen
    assert ours == theirs
