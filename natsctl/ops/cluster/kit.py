"""The files of a local cluster: a directory for each node, which ``natsctl certs cluster`` makes the same way."""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from natsctl.config import Options, load
from natsctl.errors import NatsctlError, ServerError
from natsctl.monitoring.reader import TLSFiles
from natsctl.ops.certs_cluster import Node, Ports, make_cluster, node_config, nodes_here
from natsctl.ops.certs_issue import Terms
from natsctl.pki.files import NewFile, write_files

__all__ = ["CONFIG", "DEFAULT_PORT", "FREE_PORT", "Kit", "KitNode", "holds_kit", "make_kit", "read_kit"]

CONFIG = "nats.conf"
DEFAULT_PORT = 4222
FREE_PORT = -1
"""Stands for ports that nobody uses, as in ``nats.conf``."""

_ROUTE_OFFSET, _MONITOR_OFFSET = 2000, 4000
"""From the port for clients to the others: 4222, 6222, 8222."""
_FREE_BASES = range(10_000, 28_000)
"""Below the ports that systems give to outgoing connections (32768 on Linux), which come and go."""
_TRIES = 100
_EVERY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}
"""Listening on all addresses, and how to get there from here."""


@dataclass(frozen=True, slots=True)
class KitNode:
    """A node as its configuration has it."""

    name: str
    directory: Path
    """Where it has to be started."""
    client_url: str
    monitor_url: str
    """Base URL of its monitoring."""


@dataclass(frozen=True, slots=True)
class Kit:
    """The files of a cluster, ready to run."""

    directory: Path
    nodes: tuple[KitNode, ...]
    tls: TLSFiles | None
    """How clients and readers of monitoring get in; None where everything is in clear."""


def holds_kit(directory: Path) -> bool:
    """Whether there are nodes in a directory."""
    return any(directory.glob(f"*/{CONFIG}"))


def make_kit(directory: Path, n_nodes: int, port: int, *, secure: bool) -> Kit:
    """Make the files of a cluster on the loopback.

    Args:
        directory: Where they go; it is made where it is missing.
        n_nodes: How many nodes.
        port: For the clients of the first node, the others count up; routes and monitoring are 2000 and 4000 above.
            `FREE_PORT` finds some.
        secure: Use TLS everywhere, with certificates of a CA of its own.

    Raises:
        UsageError: Such nodes or ports cannot be.
        ServerError: A port is in use.
        NatsctlError: A file cannot be written.
    """
    nodes = nodes_here(n_nodes, _free_ports(n_nodes) if port == FREE_PORT else _ports(port))
    for node in nodes:
        _demand_free(node)
    if secure:
        make_cluster(directory, "nats", nodes, (), Terms())
    else:
        write_files([_plain_config(directory, node, nodes) for node in nodes])
    return read_kit(directory)


def read_kit(directory: Path) -> Kit:
    """Read a cluster from the configurations in a directory, whoever made them.

    Raises:
        ConfigError: One of them is none.
        NatsctlError: A node has no monitoring, or a fixed port is missing.
    """
    nodes: list[KitNode] = []
    secure = False
    for config in sorted(directory.absolute().glob(f"*/{CONFIG}")):
        with contextlib.chdir(config.parent):  # where the server will look for the files it names
            options = load(str(config)).options
        secure = secure or options.tls is not None
        nodes.append(_read_node(config, options))
    return Kit(directory, tuple(nodes), _login(directory) if secure else None)


def _ports(base: int) -> Ports:
    return Ports(base, base + _ROUTE_OFFSET, base + _MONITOR_OFFSET)


def _free_ports(n_nodes: int) -> Ports:
    for base in random.sample(_FREE_BASES, _TRIES):
        ports = _ports(base)
        numbers = [first + n for first in (ports.client, ports.route, ports.monitor) for n in range(n_nodes)]
        if all(map(_is_free, numbers)):
            return ports
    raise ServerError(f"no free ports for {n_nodes} nodes")


def _demand_free(node: Node) -> None:
    for port in (node.ports.client, node.ports.route, node.ports.monitor):
        if not _is_free(port):
            hint = f"--port BASE chooses others, --port {FREE_PORT} some that are free"
            raise ServerError(f"port {port} for {node.name} is in use", hint=hint)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _plain_config(directory: Path, node: Node, nodes: Sequence[Node]) -> NewFile:
    return NewFile(directory / node.name / CONFIG, node_config("nats", node, nodes, secure=False).encode())


def _read_node(config: Path, options: Options) -> KitNode:
    monitor_port = options.https_port or options.http_port
    if monitor_port <= 0 or options.port <= 0:
        raise NatsctlError(f"{config}: a node needs fixed ports for clients and for monitoring")
    return KitNode(
        name=config.parent.name,
        directory=config.parent,
        client_url=f"{'tls' if options.tls else 'nats'}://{_reachable(options.host)}:{options.port}",
        monitor_url=f"{'https' if options.https_port else 'http'}://"
        f"{_reachable(options.http_host or options.host)}:{monitor_port}{options.http_base_path}",
    )


def _reachable(host: str) -> str:
    return _EVERY_ADDRESS.get(host, f"[{host}]" if ":" in host else host)


def _login(directory: Path) -> TLSFiles:
    ca, cert, key = (str(directory / name) for name in ("ca.pem", "client.pem", "client-key.pem"))
    return TLSFiles(ca=ca, cert=cert, key=key)
