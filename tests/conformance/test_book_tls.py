"""Chapter 8 of "Practical NATS" as a reader types it: certificates from cfssl's documents, and servers that use them.

``natsctl certs`` stands in for cfssl, and its files are given to both servers.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.process import NATSCTL, nats_server, running_server
from tests.support.tls import TlsClient
from tests.support.wire import PATIENCE_S

Command = Callable[[], Sequence[str]]
servers = pytest.mark.parametrize("command", [lambda: NATSCTL, nats_server], ids=["natsctl", "nats-server"])

KEY = {"algo": "rsa", "size": 2048}
PLACE = {"C": "US", "L": "San Francisco", "ST": "CA"}
EXPIRY = "43800h"
USAGES = {
    "server": ["signing", "key encipherment", "server auth"],
    "client": ["signing", "key encipherment", "client auth"],
    "route": ["signing", "key encipherment", "server auth", "client auth"],
}
DOCUMENTS = {
    "ca-csr.json": {  # 8-10
        "CN": "My Custom CA",
        "key": KEY,
        "names": [PLACE | {"O": "My Company", "OU": "My Org Unit"}],
    },
    "ca-config.json": {
        "signing": {
            "default": {"expiry": EXPIRY},
            "profiles": {name: {"expiry": EXPIRY, "usages": usages} for name, usages in USAGES.items()},
        }
    },
    "server.json": {  # 8-13; the names of the book and one at which a test finds the server
        "CN": "nats server",
        "hosts": ["*.nats-cluster.example.net", "nats-cluster.example.net", "localhost"],
        "key": KEY,
        "names": [PLACE],
    },
    "client.json": {"CN": "nats client", "hosts": [""], "key": KEY, "names": [PLACE]},  # 8-15
}
ROUTE = """{
  "CN": "nats route",
  "hosts": [
    "*.nats-cluster-route.example.net",
  ],
  "key": {"algo": "rsa", "size": 2048},
  "names": [{"C": "US", "L": "San Francisco", "ST": "CA"}]
}
"""
"""8-19, with its comma too many."""

LINES = [
    "cfssl version",  # 8-9
    "cfssl gencert -initca ca-csr.json",  # 8-11
    "cfssl gencert -initca ca-csr.json | cfssljson -bare ca -",  # 8-12
    *(
        "cfssl gencert -ca=ca.pem -ca-key=ca-key.pem -config=ca-config.json "
        f"-profile={name} {name}.json | cfssljson -bare {name}"  # 8-14, 8-16, 8-20
        for name in USAGES
    ),
]
PRELUDE = (
    "shopt -s expand_aliases; set -e -o pipefail\n"
    f"alias cfssl='{sys.executable} -m natsctl certs'\nalias cfssljson='{sys.executable} -m natsctl certs json'\n"
)
NAMES = {"ca": "", "server": "server", "client": "client", "route": "server and client"}

TLS = "tls {\n  cert_file: 'server.pem'\n  key_file: 'server-key.pem'\n  timeout: 1\n}\n"  # 8-3
VERIFY = (
    "tls {\n  cert_file: 'server.pem'\n  key_file: 'server-key.pem'\n  ca_file: 'ca.pem'\n  verify: true\n}\n"  # 8-17
)
FLAGS = ("--tls", "--tlscert=server.pem", "--tlskey=server-key.pem", "--tlscacert=ca.pem", "--tlsverify")  # 8-23


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which all listings were typed, and what they said."""
    folder = tmp_path_factory.mktemp("book")
    for name, document in DOCUMENTS.items():
        (folder / name).write_text(json.dumps(document, indent=2))
    (folder / "route.json").write_text(ROUTE)
    script = PRELUDE + "\n".join(LINES)
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout + done.stderr


@pytest.fixture
def folder(made: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same as the working directory, from which servers look for the files of the listings."""
    monkeypatch.chdir(made[0])
    return made[0]


def context(folder: Path, own: str = "") -> ssl.SSLContext:
    found = ssl.create_default_context(cafile=folder / "ca.pem")
    if own:
        found.load_cert_chain(folder / f"{own}.pem", folder / f"{own}-key.pem")
    return found


async def is_let_in(port: int, folder: Path, own: str = "") -> bool:
    try:
        async with await TlsClient.open(port, context(folder, own), name="localhost", protocol=0) as client:
            await client.send(b"PING\r\n")
            return await client.read() == b"PONG"
    except OSError:
        return False


def test_the_listings_make_what_the_page_shows(made: tuple[Path, str]) -> None:
    folder, said = made
    for name in NAMES:
        for end, mode in ((".pem", 0o644), (".csr", 0o644), ("-key.pem", 0o600)):
            assert (folder / f"{name}{end}").stat().st_mode & 0o777 == mode
        text = command("openssl", "x509", "-in", f"{name}.pem", "-noout", "-text", cwd=folder)
        assert ("TLS Web Server Authentication" in text) == ("server" in NAMES[name])
        assert ("TLS Web Client Authentication" in text) == ("client" in NAMES[name])
        assert ("CA:TRUE" in text) == (name == "ca")
        assert "OK" in command("openssl", "verify", "-x509_strict", "-CAfile", "ca.pem", f"{name}.pem", cwd=folder)
    assert "Version:" in said
    assert "[INFO] signed certificate with serial number" in said
    assert "[WARNING] route.json:4:39: ignored a comma before a closing bracket" in said
    assert '[WARNING] host "" makes an empty DNS name' in said


def command(*words: str, cwd: Path) -> str:
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=20, check=True).stdout


@servers
async def test_who_keeps_silent_about_tls_is_cut_off(command: Command, folder: Path, tmp_path: Path) -> None:
    with running_server(command(), tmp_path, TLS) as server:
        async with await TlsClient.connect(server.port) as client:
            assert (await client.greeting())["tls_required"]  # 8-1
            begun = asyncio.get_running_loop().time()
            assert await client.end() == []  # 8-2; servers of today say nothing
            assert 0.8 < asyncio.get_running_loop().time() - begun < 1.8
        assert await is_let_in(server.port, folder)


@servers
@pytest.mark.parametrize("flag", ["-ms", "--https_port"])
async def test_monitoring_goes_over_https(command: Command, folder: Path, tmp_path: Path, flag: str) -> None:
    with running_server([*command(), flag, "-1"], tmp_path, TLS) as server:  # 8-4
        port = server.log().partition("Starting https monitor on ")[2].partition("\n")[0].rpartition(":")[2]

        def varz() -> Any:
            url = f"https://localhost:{port}/varz"
            with urllib.request.urlopen(url, context=context(folder), timeout=PATIENCE_S) as page:
                return json.load(page)

        assert (await asyncio.to_thread(varz))["tls_required"]


@servers
def test_monitoring_over_https_needs_a_certificate(command: Command, tmp_path: Path) -> None:
    done = subprocess.run([*command(), "-a", "127.0.0.1", "-p", "-1", "-ms", "18222"], capture_output=True, timeout=20)
    assert done.returncode == 1
    assert b"tls" in done.stderr.lower()


@servers
@pytest.mark.parametrize("how", ["file", "flags"])
async def test_only_certificates_for_clients_let_clients_in(
    command: Command, folder: Path, tmp_path: Path, how: str
) -> None:
    flags = FLAGS if how == "flags" else ()
    with running_server([*command(), *flags], tmp_path, "" if flags else VERIFY) as server:
        let_in = {own: await is_let_in(server.port, folder, own) for own in ("client", "route", "server", "")}
        assert let_in == {"client": True, "route": True, "server": False, "": False}  # 8-18
        async with asyncio.timeout(PATIENCE_S):  # the client is gone before the server writes
            while "tls: client didn't provide a certificate" not in server.log():  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@servers
def test_openssl_cannot_begin_where_info_comes_first(command: Command, folder: Path, tmp_path: Path) -> None:
    with running_server(command(), tmp_path, VERIFY) as server:  # 8-22
        line = ["openssl", "s_client", "-connect", f"localhost:{server.port}", "-CAfile", "ca.pem"]
        done = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    assert done.returncode != 0
    assert "wrong version number" in done.stderr


@servers
def test_a_route_to_an_address_needs_a_certificate_with_addresses(
    command: Command, folder: Path, tmp_path: Path
) -> None:
    files = "cert_file: 'route.pem', key_file: 'route-key.pem', ca_file: 'ca.pem'"
    block = f"cluster {{ name: book, listen: '127.0.0.1:-1', tls {{ {files} }}, %s }}\n"  # 8-21
    places = [tmp_path / name for name in ("one", "two")]
    for place in places:
        place.mkdir()
    with running_server(command(), places[0], block % "") as one:
        port = one.log().partition("Listening for route connections on ")[2].partition("\n")[0].rpartition(":")[2]
        routes = f"routes: ['nats-route://127.0.0.1:{port}']"
        with running_server(command(), places[1], block % routes) as two:
            deadline = time.monotonic() + PATIENCE_S
            while "x509: cannot validate certificate for 127.0.0.1" not in two.log() and time.monotonic() < deadline:
                time.sleep(0.02)  # no event tells of it
    assert "because it doesn't contain any IP SANs" in two.log()  # 8-24


@servers
def test_files_are_looked_for_where_the_server_runs(command: Command, made: Any, tmp_path: Path) -> None:
    config = tmp_path / "nats.conf"
    config.write_text(TLS)
    line = [*command(), "-t", "-c", str(config)]
    for place, code in ((made[0], 0), (tmp_path, 1)):
        done = subprocess.run(line, cwd=place, capture_output=True, text=True, timeout=20)
        assert done.returncode == code, done.stderr
    assert "server.pem" in done.stderr
