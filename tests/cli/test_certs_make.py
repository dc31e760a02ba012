"""From nothing to TLS: what init and cluster leave works with the official server, and nothing is lost on the way."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import nats
import pytest

from natsctl.config import load
from tests.cli.conftest import running_server
from tests.support.certs import Certs, read_certificate
from tests.support.process import NATSCTL, nats_server
from tests.support.terminal import Terminal

PATIENCE_S = 20.0


@pytest.fixture
def certs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Certs:
    """natsctl certs in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Certs(capsys, monkeypatch)


def context(folder: Path, *, client: bool = True) -> ssl.SSLContext:
    """What a client needs to connect."""
    found = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    if client:
        found.load_cert_chain(folder / "client.pem", folder / "client-key.pem")
    return found


FILES = {
    "ca.pem",
    "ca-key.pem",
    "server.pem",
    "server-key.pem",
    "client.pem",
    "client-key.pem",
    "route.pem",
    "route-key.pem",
    "nats.conf",
}


def test_init_makes_what_it_says_and_keys_only_for_their_owner(certs: Certs, tmp_path: Path) -> None:
    made = certs("init", "tls dir", "--san", "nats.example.net", "--json")
    assert made.code == 0, made.err
    folder = tmp_path / "tls dir"
    assert {path.name for path in folder.iterdir()} == FILES
    assert {Path(row["path"]).name for row in made.json["files"]} == FILES
    for row in made.json["files"]:
        mode = stat.S_IMODE((tmp_path / row["path"]).stat().st_mode)
        assert (mode == 0o600) == row["secret"] == row["path"].endswith("-key.pem")
    assert load(str(folder / "nats.conf")).warnings == ()
    assert made.json["commands"][0] == "natsctl server -c 'tls dir/nats.conf'"


def test_init_again_changes_nothing_unless_forced(certs: Certs, tmp_path: Path) -> None:
    assert certs("init").code == 0
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    refused = certs("init")
    assert refused.code == 2
    assert "ca.pem" in refused.err and "are there already" in refused.err
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert certs("init", "--force").code == 0
    assert (tmp_path / "ca.pem").read_bytes() != before[tmp_path / "ca.pem"]


async def test_the_official_server_takes_what_init_makes_and_refuses_strangers(certs: Certs, tmp_path: Path) -> None:
    assert certs("init", "--key", "rsa-2048").code == 0
    config = (tmp_path / "nats.conf").read_text().replace(":8222", ":-1")
    with running_server(tmp_path / "server", config) as url:
        port = url.rpartition(":")[2]
        for host in ("localhost", "127.0.0.1"):
            client = await nats.connect(f"tls://{host}:{port}", tls=context(tmp_path), allow_reconnect=False)
            await client.flush()
            await client.close()
        with pytest.raises((ssl.SSLError, OSError, nats.errors.Error)):
            stranger = context(tmp_path, client=False)
            await nats.connect(url, tls=stranger, allow_reconnect=False, max_reconnect_attempts=0, error_cb=ignore)


@pytest.mark.parametrize("program", ["natsctl server", "nats-server"])
def test_what_init_prints_works_as_typed(certs: Certs, tmp_path: Path, program: str) -> None:
    made = certs("init")
    port = str(free_ports(2))
    ports = {"4222": port, "8222": str(int(port) + 1)}
    config = tmp_path / "nats.conf"
    config.write_text(_with(ports, config.read_text()))
    serve, sub, pub, bench, top = (_with(ports, line.strip()) for line in made.err.partition("Next:\n")[2].splitlines())
    if program == "nats-server":
        serve = serve.replace("natsctl server", nats_server()[0])
    with _typed(serve, "Server is ready"):
        with _typed(sub, "Subscribed") as subscriber, closing(Terminal("bash", "-c", PRELUDE + top)) as screen:
            assert "Published 5 bytes" in _run(pub)
            assert subscriber.stdout is not None
            assert "Received on" in subscriber.stdout.readline()
            assert subscriber.stdout.readline() == "hello\n"
            screen.wait_for_words("natsctl sub")  # the name of the subscriber, in the table
            screen.type(b"q")
            assert screen.process.wait(PATIENCE_S) == 0
        assert "delivered 100,000 of 100,000 | lost 0" in _run(bench)
        stranger = subprocess.run(["bash", "-c", PRELUDE + re.sub(r"--tlscert \S+ --tlskey \S+", "", pub)], **TEXT)
        assert stranger.returncode == 6
        assert "the server demands a client certificate" in stranger.stderr


TEXT: Any = {"capture_output": True, "text": True, "timeout": PATIENCE_S}
PRELUDE = f'natsctl() {{ {shlex.quote(sys.executable)} -m natsctl "$@"; }}\n'


def _with(ports: dict[str, str], text: str) -> str:
    """The text with other ports, for those that everybody has are not ours."""
    for usual, ours in ports.items():
        text = text.replace(usual, ours)
    return text


def _run(line: str) -> str:
    done = subprocess.run(["bash", "-c", PRELUDE + line], **TEXT)
    assert done.returncode == 0, done.stderr
    return str(done.stdout + done.stderr)


@contextmanager
def _typed(line: str, until: str) -> Iterator[subprocess.Popen[str]]:
    """A command that runs until the block ends; entered when it has said something."""
    command = ["bash", "-c", PRELUDE.replace("{ ", "{ exec ") + line]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            said = ""
            while until not in said:
                said = process.stderr.readline()
                assert said, "it ended"
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_S)


async def ignore(_: Exception) -> None:
    """An error that the test expects."""


@pytest.mark.parametrize("kind", ["rsa-2048", "ecdsa-384", "ed25519"])
def test_openssl_accepts_all_certificates_strictly(certs: Certs, tmp_path: Path, kind: str) -> None:
    assert certs("init", "--key", kind, "--expiry", "1w").code == 0
    for part, purpose in (
        ("server", "sslserver"),
        ("client", "sslclient"),
        ("route", "sslserver"),
        ("route", "sslclient"),
    ):
        command = ["openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", "ca.pem", f"{part}.pem"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--expiry", "10y"), "certificates would outlive their CA"),
        (("--expiry", "5m"), "certificates have to live at least 1h"),
        (("--expiry", "1000y", "--ca-expiry", "1000y"), "is not between 0 and"),
        (("--expiry", "soon"), "invalid duration"),
        (("--key", "rsa-1024"), "rsa keys have 2048 to 8192 bits"),
        (("--san", "a b"), '"a b" is neither a host name nor an IP address'),
        (("--san", "nats://a"), "is neither a host name nor an IP address"),
        (("/proc/none",), "/proc/none: "),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(
    certs: Certs, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    refused = certs("init", *arguments)
    assert refused.code in (1, 2)
    assert message in refused.err
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_written_is_named(certs: Certs, tmp_path: Path) -> None:
    if os.geteuid() == 0:  # for whom directories are no obstacle; a file in the way is
        (tmp_path / "here").touch()
    else:
        (tmp_path / "here").mkdir(mode=0o500)
    refused = certs("init", "here")
    assert refused.code == 1
    assert "natsctl: here" in refused.err


def free_ports(n_ports: int) -> int:
    """Find a port after which so many are free."""
    with ExitStack() as stack:
        for base in range(20000 + os.getpid() % 20000, 60000, 7):
            try:
                for port in range(base, base + n_ports):
                    listener = stack.enter_context(socket.socket())
                    listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return base
    raise AssertionError("no free ports")


@contextmanager
def running_nodes(folder: Path, programs: dict[str, tuple[str, ...]]) -> Iterator[None]:
    with ExitStack() as stack:
        for name, program in programs.items():
            log = stack.enter_context((folder / name / "log").open("wb"))
            process = subprocess.Popen([*program, "-c", "nats.conf"], cwd=folder / name, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.send_signal, signal.SIGTERM)
        yield


@pytest.mark.parametrize("n_ours", [0, 2, 3])
async def test_a_cluster_has_tls_for_clients_routes_and_monitoring(certs: Certs, tmp_path: Path, n_ours: int) -> None:
    base = free_ports(9)
    ports = ("--client-port", base, "--route-port", base + 3, "--monitor-port", base + 6)
    made = certs("cluster", "c", "--nodes", "3", *map(str, ports), "--name", "tested")
    assert made.code == 0, made.err
    folder = tmp_path / "c"
    programs = [NATSCTL] * n_ours + [nats_server()] * (3 - n_ours)
    with running_nodes(folder, {f"node{n + 1}": program for n, program in enumerate(programs)}):
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                pages = [await monitoring(folder, base + 6 + n, "routez") for n in range(3)]
                if all(len({route["remote_name"] for route in page["routes"]}) == 2 for page in pages):
                    break
            except OSError:
                pages = []
            assert time.monotonic() < deadline, (pages, (folder / "node1" / "log").read_text())
            await asyncio.sleep(0.1)  # no event tells of a mesh that is complete
        varz = await monitoring(folder, base + 6, "varz")
        assert varz["cluster"]["name"] == "tested"
        assert (varz["tls_required"], varz["tls_verify"]) == (True, True)
        assert varz["cluster"]["tls_required"]
        first, last = [await nats.connect(f"tls://127.0.0.1:{base + n}", tls=context(folder)) for n in (0, 2)]
        inbox = await last.subscribe("greetings")
        await last.flush()
        while not inbox.pending_msgs:  # until the first node has heard of it
            assert time.monotonic() < deadline
            await first.publish("greetings", b"hello")
            await asyncio.sleep(0.05)
        await first.close()
        await last.close()


async def monitoring(folder: Path, port: int, page: str) -> Any:
    def read() -> Any:
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/{page}", context=context(folder), timeout=5) as answer:
            return json.load(answer)

    return await asyncio.to_thread(read)


def test_nodes_on_hosts_have_their_names_and_only_what_they_need(certs: Certs, tmp_path: Path) -> None:
    made = certs("cluster", "--hosts", "a.example.net,10.0.0.2,fd00::3", "--san", "nats.example.net", "--expiry", "30d")
    assert made.code == 0, made.err
    for host in ("a.example.net", "10.0.0.2", "fd00::3"):
        node = tmp_path / host
        assert {path.name for path in node.iterdir()} == FILES - {"ca-key.pem", "client.pem", "client-key.pem"}
        text = (node / "nats.conf").read_text()
        assert len(re.findall("nats-route://", text)) == 2
        for part in ("server", "route"):
            assert certs("verify", node / f"{part}.pem", "--host", host, "--host", "nats.example.net").code == 0
    assert '"nats-route://[fd00::3]:6222"' in (tmp_path / "10.0.0.2" / "nats.conf").read_text()
    assert read_certificate(tmp_path / "10.0.0.2" / "ca.pem") == read_certificate(tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "say either how many nodes run here"),
        (("--nodes", "3", "--hosts", "a,b"), "say either how many nodes run here"),
        (("--nodes", "1"), "a cluster has 2 to 64 nodes, not 1"),
        (("--nodes", "1000000"), "a cluster has 2 to 64 nodes"),
        (("--hosts", "a,A"), "a host is given twice"),
        (("--hosts", "a,../b"), '"../b" is neither a host name nor an IP address'),
        (("--hosts", "a,*.b"), "a node runs on one host"),
        (("--hosts", "a,"), '"" is neither a host name nor an IP address'),
        (("--nodes", "3", "--route-port", "65534"), "port 65536 exceeds the limit of 65535"),
        (("--nodes", "3", "--name", "a b"), "cannot be the name of a cluster"),
        (("--nodes", "3", "--client-port", "4222", "--route-port", "4224"), "port 4224 is needed twice"),
    ],
)
def test_a_cluster_that_cannot_run_is_refused(
    certs: Certs, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    refused = certs("cluster", *arguments)
    assert refused.code == 2
    assert message in refused.err
    assert list(tmp_path.iterdir()) == []
