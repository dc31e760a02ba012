"""A cluster with TLS everywhere: for each node a directory with certificates and a configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from natsctl.errors import UsageError
from natsctl.ops.certs_config import indented, quoted, tls_block
from natsctl.ops.certs_issue import LOOPBACK, Issued, Issuer, Terms, check_host, host_name
from natsctl.pki.files import NewFile, write_files
from natsctl.pki.names import parse_ip

__all__ = ["MAX_NODES", "Cluster", "Node", "Ports", "make_cluster", "node_config", "nodes_at", "nodes_here"]

MAX_NODES = 64
"""A full mesh of more has thousands of routes; a super-cluster serves such systems better."""

_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a node listens."""

    client: int = 4222
    route: int = 6222
    monitor: int = 8222

    def plus(self, n: int) -> Ports:
        """Give the ports of the n-th node after this one on the same machine."""
        return Ports(self.client + n, self.route + n, self.monitor + n)

    def check(self, n_nodes: int) -> None:
        """Refuse ports on which so many nodes could not listen on one machine.

        Raises:
            UsageError: A port does not exist, or two nodes need it.
        """
        needed: set[int] = set()
        for first in (self.client, self.route, self.monitor):
            ports = range(first, first + n_nodes)
            if ports[-1] > _MAX_PORT:
                raise UsageError(f"port {ports[-1]} exceeds the limit of {_MAX_PORT}")
            if twice := needed.intersection(ports):
                raise UsageError(f"port {min(twice)} is needed twice")
            needed.update(ports)


@dataclass(frozen=True, slots=True)
class Node:
    """One server of a cluster."""

    name: str
    """Of the server and of its directory."""
    host: str
    """Under which the other nodes reach it."""
    listen: str
    """Address on which it listens."""
    ports: Ports
    names: tuple[str, ...]
    """Hosts of its certificates."""

    @property
    def route_url(self) -> str:
        """Where the other nodes find it."""
        return f"nats-route://{_authority(self.host, self.ports.route)}"

    @property
    def client_url(self) -> str:
        """Where clients find it."""
        return f"tls://{_authority(self.host, self.ports.client)}"


@dataclass(frozen=True, slots=True)
class Cluster:
    """What was made, and is on the disk."""

    directory: Path
    nodes: tuple[Node, ...]
    issued: tuple[Issued, ...]
    """The CA, the client's, and two for each node."""
    files: tuple[NewFile, ...]
    """All files, in the order in which one reads of them."""


def nodes_here(n_nodes: int, ports: Ports) -> list[Node]:
    """Plan nodes on this machine, each with ports of its own on the loopback.

    Raises:
        UsageError: There are too many or too few, or their ports do not exist or collide.
    """
    _check_number(n_nodes)
    ports.check(n_nodes)
    names = (*filter(None, [host_name()]), *LOOPBACK)
    return [Node(f"node{n + 1}", "127.0.0.1", "127.0.0.1", ports.plus(n), names) for n in range(n_nodes)]


def nodes_at(hosts: Sequence[str], ports: Ports) -> list[Node]:
    """Plan a node on each of several machines.

    Raises:
        UsageError: A host is neither a name nor an address, or is given twice.
    """
    _check_number(len(hosts))
    for host in hosts:
        if check_host(host).startswith("*"):
            raise UsageError(f'a node runs on one host, not on "{host}"')
    if len({host.lower() for host in hosts}) < len(hosts):
        raise UsageError("a host is given twice; nodes on one machine are made with --nodes")
    ports.check(1)
    return [Node(host, host, "0.0.0.0", ports, (host, *LOOPBACK)) for host in hosts]


def make_cluster(
    directory: Path, name: str, nodes: Sequence[Node], sans: Sequence[str], terms: Terms, *, force: bool = False
) -> Cluster:
    """Make certificates and configurations for a full mesh.

    Each node gets a directory that can be taken to its machine as it is; the CA's key stays behind.

    Args:
        directory: Where the nodes' directories go; it is made where it is missing.
        name: Of the cluster.
        nodes: All of them.
        sans: Further names of every node, as that of a load balancer.
        terms: How the certificates are made.
        force: Replace files that are there.

    Raises:
        UsageError: A file is there already, or a name cannot be one.
        NatsctlError: A file cannot be written.
    """
    if not name or not name.isprintable() or " " in name:
        raise UsageError(f'"{name}" cannot be the name of a cluster: it has white space, or is empty')
    also = [check_host(san) for san in sans]
    issuer = Issuer(terms)
    issued = [issuer.authority(directory), issuer.issue("client", directory, "client")]
    files = [file for pair in issued for file in (pair.certificate, pair.key)]
    for node in nodes:
        place = directory / node.name
        pairs = [issuer.issue(part, place, node.name, (*node.names, *also)) for part in ("server", "route")]
        issued += pairs
        files.append(NewFile(place / "ca.pem", issued[0].certificate.data))
        files += (file for pair in pairs for file in (pair.certificate, pair.key))
        files.append(NewFile(place / "nats.conf", node_config(name, node, nodes, secure=True).encode()))
    write_files(files, force=force)
    return Cluster(directory, tuple(nodes), tuple(issued), tuple(files))


def _check_number(n_nodes: int) -> None:
    if not 2 <= n_nodes <= MAX_NODES:
        raise UsageError(f"a cluster has 2 to {MAX_NODES} nodes, not {n_nodes}")


def node_config(cluster: str, node: Node, nodes: Sequence[Node], *, secure: bool) -> str:
    """Write the ``nats.conf`` of a node.

    Args:
        cluster: Its name.
        node: Whose configuration it is.
        nodes: All of them; a route leads to each of the others.
        secure: Use the certificates in the directory of the node, for clients, routes and monitoring.
    """
    routes = "".join(f"\n  {quoted(other.route_url)}" for other in nodes if other != node)
    block = [f"name: {quoted(cluster)}", f"listen: {_listen(node, node.ports.route)}", f"routes: [{routes}\n]"]
    top = [
        f"server_name: {quoted(node.name)}",
        f"listen: {_listen(node, node.ports.client)}",
        f"{'https' if secure else 'http'}: {_listen(node, node.ports.monitor)}\n",
    ]
    if secure:
        server, route = (
            tls_block(Path(f"{part}.pem"), Path(f"{part}-key.pem"), Path("ca.pem")) for part in ("server", "route")
        )
        block.insert(2, route)
        top = ["# Start the server in this directory: files are looked for where it runs.", *top, f"{server}\n"]
    inside = indented("\n".join(block))
    return "\n".join([*top, f"cluster {{\n{inside}\n}}\n"])


def _listen(node: Node, port: int) -> str:
    return quoted(_authority(node.listen, port))


def _authority(host: str, port: int) -> str:
    address = parse_ip(host)
    return f"[{host}]:{port}" if address is not None and address.version == 6 else f"{host}:{port}"
