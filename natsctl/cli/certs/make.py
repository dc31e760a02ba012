"""``natsctl certs init`` and ``cluster``: from nothing to TLS in one command."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from natsctl.cli.output import note, printable
from natsctl.errors import NatsctlError, UsageError
from natsctl.ops.certs_cluster import Ports, make_cluster, nodes_at, nodes_here
from natsctl.ops.certs_init import make_kit
from natsctl.ops.certs_issue import Issued, Terms
from natsctl.pki.certificates import Description
from natsctl.pki.files import NewFile
from natsctl.pki.keys import KeyPolicy
from natsctl.pki.lifetimes import parse_lifetime

__all__ = ["app", "lifetime"]

app = typer.Typer(add_completion=False)


def lifetime(text: str) -> timedelta:
    """Read a lifetime given as an option."""
    try:
        return parse_lifetime(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _key_policy(text: str) -> KeyPolicy:
    try:
        return KeyPolicy.from_word(text)
    except NatsctlError as error:
        raise typer.BadParameter(str(error)) from None


Directory = Annotated[Path, typer.Argument(help="Where the files go.", metavar="DIR")]
Sans = Annotated[
    list[str] | None,
    typer.Option("--san", help="Further name or address of the server; may be repeated.", metavar="HOST"),
]
Key = Annotated[
    KeyPolicy | None,
    typer.Option(
        "--key", help="Kind of keys: ecdsa-256 (default), rsa-2048, ed25519, ….", parser=_key_policy, metavar="KIND"
    ),
]
Expiry = Annotated[
    timedelta | None,
    typer.Option("--expiry", help="How long certificates live (default 365d).", parser=lifetime, metavar="DURATION"),
]
CaExpiry = Annotated[
    timedelta | None,
    typer.Option("--ca-expiry", help="How long the CA lives (default 1825d).", parser=lifetime, metavar="DURATION"),
]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there, the CA's key too.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document.")]


@app.command("init")
def init(
    directory: Directory = Path(),
    sans: Sans = None,
    key: Key = None,
    expiry: Expiry = None,
    ca_expiry: CaExpiry = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Make a CA, certificates for a server, clients and routes, and a nats.conf that uses them.

    The server's names are those given, that of this machine, and those of its loopback. Keys can be read only by their
    owner. Nothing is replaced unless --force says so.
    """
    kit = make_kit(directory, sans or (), _terms(key, expiry, ca_expiry), force=force)
    commands = [
        f"natsctl server -c {_word(kit.config.path)}",
        f"natsctl sub {_login(directory)} -s tls://localhost:4222 greetings",
        f"natsctl pub {_login(directory)} -s tls://localhost:4222 greetings hello",
        f"natsctl bench {_login(directory)} -s tls://localhost:4222 -np 1 -ns 1 -n 100000 hi",
        f"natsctl top --tlsca {_word(directory / 'ca.pem')} -s https://localhost:8222",
    ]
    _show(kit.files, kit.issued, commands, as_json)


@app.command("cluster")
def cluster(
    directory: Directory = Path(),
    n_nodes: Annotated[
        int,
        typer.Option(
            "--nodes", help="So many nodes on this machine, with ports counted up.", metavar="N", show_default=False
        ),
    ] = 0,
    hosts: Annotated[
        str, typer.Option("--hosts", help="A node on each of these hosts, given with commas.", metavar="HOSTS")
    ] = "",
    name: Annotated[str, typer.Option("--name", help="Name of the cluster.", metavar="NAME")] = "nats",
    client_port: Annotated[
        int, typer.Option("--client-port", help="Port for clients.", min=1, max=65535, metavar="PORT")
    ] = 4222,
    route_port: Annotated[
        int, typer.Option("--route-port", help="Port for routes.", min=1, max=65535, metavar="PORT")
    ] = 6222,
    monitor_port: Annotated[
        int, typer.Option("--monitor-port", help="Port for monitoring over HTTPS.", min=1, max=65535, metavar="PORT")
    ] = 8222,
    sans: Sans = None,
    key: Key = None,
    expiry: Expiry = None,
    ca_expiry: CaExpiry = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Make certificates and configurations for a cluster with TLS for clients, routes and monitoring.

    Every node gets a directory that can be taken to its machine as it is. The CA's key stays where it was made.
    """
    if bool(n_nodes) == bool(hosts):
        raise UsageError("say either how many nodes run here with --nodes, or where they run with --hosts")
    ports = Ports(client_port, route_port, monitor_port)
    nodes = nodes_at(hosts.split(","), ports) if hosts else nodes_here(n_nodes, ports)
    made = make_cluster(directory, name, nodes, sans or (), _terms(key, expiry, ca_expiry), force=force)
    commands = [f"(cd {_word(directory / node.name)} && natsctl server -c nats.conf)" for node in nodes]
    commands.append(f"natsctl rtt {_login(directory)} -s {','.join(node.client_url for node in nodes)}")
    _show(made.files, made.issued, commands, as_json)


def _terms(key: KeyPolicy | None, expiry: timedelta | None, ca_expiry: timedelta | None) -> Terms:
    default = Terms()
    return Terms(key or default.key, expiry or default.expiry, ca_expiry or default.ca_expiry)


def _login(directory: Path) -> str:
    files = (("--tlsca", "ca.pem"), ("--tlscert", "client.pem"), ("--tlskey", "client-key.pem"))
    return " ".join(f"{option} {_word(directory / name)}" for option, name in files)


def _word(path: Path) -> str:
    return shlex.quote(str(path))


def _show(files: Sequence[NewFile], issued: Iterable[Issued], commands: list[str], as_json: bool) -> None:
    told = {pair.certificate.path: pair.description for pair in issued}
    if as_json:
        rows = [_document(file, told.get(file.path)) for file in files]
        print(json.dumps({"files": rows, "commands": commands}, indent=2))
        return
    width = max(len(str(file.path)) for file in files)
    for file in files:
        print(f"{printable(str(file.path)):<{width}}  {_meaning(file, told.get(file.path))}".rstrip())
    note("\nNext:")
    for command in commands:
        note(f"  {command}")


def _document(file: NewFile, told: Description | None) -> dict[str, object]:
    row: dict[str, object] = {"path": str(file.path), "secret": file.is_secret}
    if told:
        row |= {"purpose": told.purpose, "names": told.names, "not_after": f"{told.not_after:%Y-%m-%dT%H:%M:%SZ}"}
    return row


def _meaning(file: NewFile, told: Description | None) -> str:
    if told is None:
        return "private key, for its owner only" if file.is_secret else ""
    names = f" for {', '.join(told.names)}" if told.names else f' "{told.common_name}"'
    return f"{told.purpose}{names}, until {told.not_after:%Y-%m-%d}"
