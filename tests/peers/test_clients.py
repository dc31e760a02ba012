"""Programs that use the official clients see in natsctl a NATS server like any other."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import nkeys  # type: ignore[import-untyped]  # it has no annotations
import pytest

from tests.support.nodes import running_nodes
from tests.support.tls import Pki

if TYPE_CHECKING:
    from tests.peers.conftest import Server

    Serve = Callable[[str], Server]

SCENES = {
    "publish": ["greetings.en hello", "greetings.de hallo"],
    "queue": ["100 shared"],
    "request": ["teatea", "no responders"],
    "headers": ["Priority: high tea"],
    "large": ["1048576"],
    "unsubscribe": ["2"],
    "drain": ["50 closed"],
}
"""Scene to the lines that every client's program writes in it."""

BCRYPTED = "$2b$04$jRbAZ5W0Ru6VQkz.I.MeX.MxG29D1471PFrSNQQ4WauYW9BDq6s0G"
"""The word ``secret``, at the lowest cost there is."""


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


def play(peer: list[str], *args: str) -> list[str]:
    shown = subprocess.run([*peer, *args], capture_output=True, text=True, timeout=30)
    assert (shown.returncode, shown.stderr) == (0, "")
    return shown.stdout.splitlines()


@pytest.mark.parametrize("scene", SCENES)
def test_a_program_of_today_runs_unchanged(peer: list[str], serve: Serve, scene: str) -> None:
    assert play(peer, scene, serve("").url) == SCENES[scene]


def test_a_client_finds_back_to_a_server_that_was_restarted(peer: list[str], serve: Serve) -> None:
    server = serve("server_name: restarted")
    with subprocess.Popen([*peer, "reconnect", server.url], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "connected\n"
        server.stop()
        server.start()
        assert program.stdout.read().splitlines() == ["reconnected", "still here"]
    assert program.returncode == 0


@pytest.mark.parametrize("other", ["natsctl", "nats-server"])
async def test_a_client_goes_on_at_a_server_it_was_only_told_of(peer: list[str], other: str, tmp_path: Path) -> None:
    with running_nodes(tmp_path, ["natsctl", other]) as nodes:
        await nodes.until_full()
        url = f"nats://127.0.0.1:{nodes[0].server.port}"
        program = await asyncio.create_subprocess_exec(*peer, "reconnect", url, stdout=subprocess.PIPE)
        assert program.stdout is not None
        assert await program.stdout.readline() == b"connected\n"
        nodes[0].kill()
        assert (await program.stdout.read()).split(b"\n") == [b"reconnected", b"still here", b""]
        assert await program.wait() == 0


@pytest.mark.parametrize(
    ("config", "good", "bad"),
    [
        ("authorization { user: ivan, password: secret }", ("user", "ivan", "secret"), ("user", "ivan", "guess")),
        ("authorization { token: sesame }", ("token", "sesame"), ("token", "guess")),
        (
            f'authorization {{ users: [{{ user: ivan, password: "{BCRYPTED}" }}] }}',
            ("user", "ivan", "secret"),
            ("user", "ivan", "guess"),
        ),
        ("authorization { user: ivan, password: secret }", ("user", "ivan", "secret"), ()),
    ],
    ids=["password", "token", "bcrypt", "nothing"],
)
def test_a_client_is_let_in_with_what_it_should_know_and_only_with_that(
    peer: list[str], serve: Serve, config: str, good: tuple[str, ...], bad: tuple[str, ...]
) -> None:
    url = serve(config).url
    assert play(peer, "login", url, *good) == ["welcome"]
    assert play(peer, "login", url, *bad) == ["refused"]


def test_a_program_runs_unchanged_over_tls(peer: list[str], serve: Serve, pki: Pki) -> None:
    url = serve(pki.block()).url
    assert play(peer, "publish", url, "tls", str(pki.ca)) == SCENES["publish"]
    assert play(peer, "large", url, "tls", str(pki.ca)) == SCENES["large"]


def test_a_client_without_a_certificate_stays_outside_where_one_is_demanded(
    peer: list[str], serve: Serve, pki: Pki
) -> None:
    url, own = serve(pki.block("verify: true")).url, pki.issue("client")
    assert play(peer, "login", url, "tls", str(pki.ca), *map(str, own)) == ["welcome"]
    assert play(peer, "login", url, "tls", str(pki.ca)) == ["refused"]


def test_a_client_signs_in_with_its_nkey(peer: list[str], serve: Serve, tmp_path: Path) -> None:
    config, ways = "", []
    for name in ("known", "unknown"):
        seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
        public = nkeys.from_seed(seed).public_key.decode()
        path = tmp_path / f"{name}.nk"
        path.write_bytes(seed)
        path.chmod(0o600)
        ways.append(("nkey", str(path), public))
        config = config or f"authorization {{ users: [{{ nkey: {public} }}] }}"
    url = serve(config).url
    assert play(peer, "login", url, *ways[0]) == ["welcome"]
    assert play(peer, "login", url, *ways[1]) == ["refused"]
