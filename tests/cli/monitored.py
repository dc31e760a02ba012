"""Servers with a monitoring port, and a client on them that has done something."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.http import monitor_port
from tests.support.process import NATSCTL, nats_server, running_server
from tests.support.wire import connect_line

__all__ = ["SERVERS", "Monitored", "monitored"]

SERVERS = ("official", "natsctl")


@dataclass(frozen=True)
class Monitored:
    """A running server.

    Attributes:
        client: For clients.
        port: For monitoring.
    """

    client: int
    port: int

    @contextlib.contextmanager
    def connected(self, lines: str = "", **fields: object) -> Iterator[socket.socket]:
        """A client that has sent these lines, and of which the server has read them."""
        with socket.create_connection(("127.0.0.1", self.client), timeout=15) as sock, sock.makefile("rb") as replies:
            assert replies.readline().startswith(b"INFO ")
            sock.sendall(connect_line(**fields) + lines.replace("\n", "\r\n").encode() + b"PING\r\n")
            while replies.readline() != b"PONG\r\n":
                pass
            yield sock


@contextlib.contextmanager
def monitored(kind: str, directory: Path, config: str = "", address: str = "127.0.0.1:-1") -> Iterator[Monitored]:
    """Run the official server or ours with monitoring."""
    directory.mkdir(exist_ok=True)
    command = nats_server() if kind == "official" else NATSCTL
    with running_server(command, directory, f'http: "{address}"\n{config}') as server:
        yield Monitored(server.port, monitor_port(server))


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    """Each server in turn, with nobody connected."""
    with monitored(request.param, tmp_path_factory.mktemp(request.param)) as running:
        yield running
