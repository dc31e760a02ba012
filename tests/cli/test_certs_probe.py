"""``natsctl certs probe``: what servers show of their TLS."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from natsctl.errors import LinkError
from natsctl.ops.probe import Address, probe
from tests.support.certs import Certs
from tests.support.process import NATSCTL, ServerProcess, nats_server, running_server
from tests.support.tls import Pki


@pytest.fixture
def certs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Certs:
    return Certs(capsys, monkeypatch)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module", params=["natsctl", "nats-server"])
def serve(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One server per configuration."""
    command = NATSCTL if request.param == "natsctl" else nats_server()
    with ExitStack() as stack:

        @cache
        def start(config: str) -> ServerProcess:
            return stack.enter_context(running_server(command, tmp_path_factory.mktemp("server"), config))

        yield start


@pytest.mark.parametrize(
    ("more", "is_first", "demands"),
    [("", False, False), ("verify: true", False, True), ("handshake_first: true", True, False)],
)
def test_a_server_is_looked_at_without_credentials(
    serve: Any, pki: Pki, certs: Certs, more: str, is_first: bool, demands: bool
) -> None:
    port = serve(pki.block(more)).port
    shown = certs("probe", f"127.0.0.1:{port}", "--tlsca", pki.ca, "--json")
    assert shown.code == 0, shown.err
    found = shown.json
    assert found["speaks"] == "clients"
    assert (found["tls_first"], found["demands_certificate"]) == (is_first, demands)
    assert found["tls_version"] == "1.3"
    assert sorted(found["chain"][0]["names"]) == ["127.0.0.1", "localhost"]
    assert found["objections"] == []


@pytest.mark.parametrize("more", ["", "verify: true"])
def test_a_running_server_is_listed_as_a_file_is(serve: Any, pki: Pki, certs: Certs, more: str) -> None:
    address = f"127.0.0.1:{serve(pki.block(more)).port}"
    for place in (address, f"tls://{address}"):
        (shown, *_) = certs("ls", place, "--json").json
        (from_file,) = certs("ls", pki.server.certificate, "--json").json
        assert shown == from_file | {"file": address}
    assert "127.0.0.1, localhost" in certs("info", address).out.replace("localhost, 127.0.0.1", "127.0.0.1, localhost")
    ending = certs("expiry", address, "--within", "2d", "--json")
    assert (ending.code, ending.json[0]["file"]) == (11, address)
    assert certs("expiry", address, "--within", "1h").code == 0


def test_a_server_that_shows_no_certificate_is_an_error_of_the_link(serve: Any, certs: Certs) -> None:
    address = f"127.0.0.1:{serve('').port}"
    shown = certs("expiry", address)
    assert (shown.code, shown.err.strip()) == (6, f"natsctl: {address} shows no certificate")


def test_what_clients_would_object_to_is_told(serve: Any, pki: Pki, certs: Certs) -> None:
    port = serve(pki.block()).port
    shown = certs("probe", f"127.0.0.1:{port}", "--tlsca", pki.ca, "--host", "nats.example.com")
    assert shown.code == 11
    assert 'not for "nats.example.com"' in shown.out
    stranger = certs("probe", f"127.0.0.1:{port}")
    assert stranger.code == 11
    assert "this system does not trust it" in stranger.out


def test_a_server_without_tls_is_told_apart(serve: Any, certs: Certs) -> None:
    shown = certs("probe", f"127.0.0.1:{serve('').port}")
    assert shown.code == 11
    assert "the server offers no TLS" in shown.out


def test_monitoring_over_https_is_recognised(pki: Pki, certs: Certs, tmp_path: Path) -> None:
    with running_server(NATSCTL, tmp_path, f'https: "127.0.0.1:-1"\n{pki.block()}') as server:
        port = server.log().partition("https monitor on 127.0.0.1:")[2].partition("\n")[0]
        shown = certs("probe", f"127.0.0.1:{port}", "--tlsca", pki.ca, "--json")
    assert shown.json["speaks"] == "monitoring"


LISTEN = 'listen: "127.0.0.1:-1"'
PORTS = {
    "leafnodes": (f"leafnodes {{ {LISTEN}, TLS }}", r"for leafnode connections on \S+:(\d+)"),
    "routes": (
        f"cluster {{ name: x, {LISTEN}, TLS }}\nleafnodes {{ {LISTEN} }}",
        r"for route connections on \S+:(\d+)",
    ),
    "gateways": (
        f"gateway {{ name: x, {LISTEN}, TLS }}",
        r"for gateways connections on \S+:(\d+)",
    ),
    "websocket": (f"websocket {{ {LISTEN}, TLS }}", r"for websocket clients on \S+:(\d+)"),
}
"""What another port of nats-server serves, to its block and the log line that tells where."""


@pytest.mark.parametrize("speaks", PORTS)
def test_the_other_ports_of_the_official_server_are_told_apart(
    pki: Pki, certs: Certs, tmp_path: Path, speaks: str
) -> None:
    block, line = PORTS[speaks]

    def look(tls: str, *options: str | Path) -> Any:
        folder = tmp_path / f"tls {bool(tls)}"
        folder.mkdir()
        with running_server(nats_server(), folder, block.replace("TLS", tls) + "\n") as server:
            port = re.search(line, server.log())
            assert port, server.log()
            return certs("probe", f"127.0.0.1:{port[1]}", "--json", *options).json

    found = look(pki.block(), "--tlsca", pki.ca)
    assert found["objections"] == []
    assert sorted(found["chain"][0]["names"]) == ["127.0.0.1", "localhost"]
    assert found["demands_certificate"] == (speaks in ("routes", "gateways"))
    assert found["speaks"] == ("" if found["demands_certificate"] else speaks)  # it hangs up on who has none
    if speaks != "websocket":
        bare = look("")
        assert (bare["speaks"], bare["objections"][0]["message"]) == (speaks, "the server offers no TLS")


@pytest.mark.parametrize(
    "said", [b"", b"SSH-2.0-x\r\n", b"INFO {\r\n", b"INFO []\r\n", b"INFO " + b"x" * 2_000_000, b"HTTP/1.1 400\r\n\r\n"]
)
def test_a_server_of_something_else_is_called_so(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(LinkError, match="is no NATS server"):
            probe(Address(*listener.getsockname()), datetime.now(UTC))
        thread.join()


def test_nobody_there_is_an_error_of_the_link(certs: Certs) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        shown = certs("probe", f"127.0.0.1:{free.getsockname()[1]}")
    assert shown.code == 6
    assert "connection refused" in shown.err


def test_json_is_whole(serve: Any, pki: Pki, certs: Certs) -> None:
    shown = certs("probe", f"127.0.0.1:{serve(pki.block()).port}", "--tlsca", pki.ca, "--json")
    assert json.loads(shown.out).keys() >= {"host", "port", "chain", "objections"}
