"""``natsctl cluster up``: run a cluster on this machine."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Annotated, Any

import typer

from natsctl.cli.output import DataOutput, note, printable, run
from natsctl.errors import ServerError, UsageError
from natsctl.ops.certs_cluster import MAX_NODES
from natsctl.ops.cluster.kit import DEFAULT_PORT, FREE_PORT, Kit, holds_kit, make_kit, read_kit
from natsctl.ops.cluster.local import LocalCluster
from natsctl.ops.cluster.node import Engine, NodeProcess, server_command

__all__ = ["app"]

app = typer.Typer(add_completion=False)

_FORM_S = 30.0
_COLORS = ("cyan", "magenta", "yellow", "green", "blue", "bright_red")
_NODES = 3


@app.command("up")
def up(
    n_nodes: Annotated[
        int | None,
        typer.Option("--nodes", help=f"How many nodes (default {_NODES}).", metavar="N", min=2, max=MAX_NODES),
    ] = None,
    engine: Annotated[Engine, typer.Option("--engine", help="Which server the nodes are.")] = Engine.NATSCTL,
    tls: Annotated[
        bool, typer.Option("--tls", help="TLS for clients, routes and monitoring, with a CA of its own.")
    ] = False,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", help="Keep the files here, or run those that are here.", metavar="DIR"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            help=f"Client port of the first node (default {DEFAULT_PORT}); {FREE_PORT} finds free ones.",
            metavar="PORT",
            min=FREE_PORT,
            max=65535,
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Do not show what the nodes log.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write events as JSON lines, and no logs.")] = False,
) -> None:
    """Run a cluster on this machine until Ctrl-C.

    Makes a configuration for each node, starts them, waits until every node has a route to every other, and says how
    to talk to them. The nodes count their ports up from the first one's; routes and monitoring are 2000 and 4000 above
    the port for clients: 4222, 6222 and 8222. A node that ends is told, and the others go on: kill one and see.

    Without --dir the files are temporary, and go with the nodes. With it they stay, and the next start runs what is
    there, also what 'natsctl certs cluster' has made or you have changed.

    Exit codes: 1 a node cannot run, or all have ended.
    """
    command = server_command(engine)
    with _kit(directory, n_nodes, port, secure=tls) as kit:
        output = _JsonOutput(engine) if as_json else _TextOutput(engine, kit, is_quiet=quiet, is_kept=bool(directory))
        run(lambda _signals: _run(kit, command, output))


@contextmanager
def _kit(directory: Path | None, n_nodes: int | None, port: int | None, *, secure: bool) -> Iterator[Kit]:
    if directory is None:
        with tempfile.TemporaryDirectory(prefix="natsctl-cluster-") as place:
            yield make_kit(Path(place), n_nodes or _NODES, port or DEFAULT_PORT, secure=secure)
    elif holds_kit(directory):
        if n_nodes is not None or port is not None or secure:
            hint = "leave --nodes, --port and --tls out to run it, or name another directory"
            raise UsageError(f"{directory} holds a cluster already", hint=hint)
        yield read_kit(directory)
    else:
        yield make_kit(directory, n_nodes or _NODES, port or DEFAULT_PORT, secure=secure)


async def _run(kit: Kit, command: tuple[str, ...], output: _TextOutput | _JsonOutput) -> None:
    # A terminal that goes away must not leave the nodes behind.
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, os.kill, os.getpid(), signal.SIGTERM)
    async with LocalCluster(kit, command, output.log) as cluster:
        await cluster.form(_FORM_S)
        await output.ready(cluster)
        for _ in cluster.nodes:
            node, code = await cluster.next_exit()
            await output.exited(node, code)
    raise ServerError("all nodes have ended")


class _TextOutput:
    """For people: how to talk to the cluster, and then what the nodes log."""

    def __init__(self, engine: Engine, kit: Kit, *, is_quiet: bool, is_kept: bool) -> None:
        self._engine = engine
        self._is_quiet = is_quiet
        self._is_kept = is_kept
        self._output = DataOutput()
        width = max(len(node.name) for node in kit.nodes)
        self._prefixes = {node.name: f"{node.name:<{width}} |" for node in kit.nodes}
        if self._output.is_terminal and not os.environ.get("NO_COLOR"):
            for (name, prefix), color in zip(self._prefixes.items(), cycle(_COLORS), strict=False):
                self._prefixes[name] = typer.style(prefix, fg=color)

    async def log(self, name: str, line: str) -> None:
        if not self._is_quiet:
            await self._output.write(f"{self._prefixes[name]} {printable(line)}\n".encode())

    async def ready(self, cluster: LocalCluster) -> None:
        kit = cluster.kit
        fate = "" if self._is_kept else ", removed at the end"
        rows = [(node.node.name, node.node.client_url, node.node.monitor_url, str(node.pid)) for node in cluster.nodes]
        widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
        lines = [
            f"{len(rows)} {self._engine.value} nodes have found each other. Files: {kit.directory}{fate}",
            *("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows),
            "Talk to them:",
            *(f"  {line}" for line in _commands(cluster)),
            "Ctrl-C ends them.",
        ]
        await self._output.write("\n".join(["", *lines, "", ""]).encode())

    async def exited(self, node: NodeProcess, code: int) -> None:
        note(f"natsctl: {node.node.name} has ended: {_reason(code)}")


class _JsonOutput:
    """For scripts: one line for each event."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._output = DataOutput()

    async def log(self, _name: str, _line: str) -> None:
        """Leave out: a script asks for events."""

    async def ready(self, cluster: LocalCluster) -> None:
        tls = cluster.kit.tls
        nodes = [
            {
                "name": node.node.name,
                "pid": node.pid,
                "client_url": node.node.client_url,
                "monitor_url": node.node.monitor_url,
                "directory": str(node.node.directory),
            }
            for node in cluster.nodes
        ]
        login = {"ca": tls.ca, "cert": tls.cert, "key": tls.key} if tls else None
        await self._write("ready", engine=self._engine.value, nodes=nodes, tls=login, commands=_commands(cluster))

    async def exited(self, node: NodeProcess, code: int) -> None:
        await self._write("exited", node=node.node.name, exit_code=code)

    async def _write(self, event: str, **more: Any) -> None:
        await self._output.write(json.dumps({"event": event, **more}).encode() + b"\n")


def _commands(cluster: LocalCluster) -> list[str]:
    """Write lines to type that show what a cluster does."""
    tls = cluster.kit.tls
    nodes = cluster.kit.nodes
    urls = ",".join(node.client_url for node in nodes)
    clients = f"--tlsca {_word(tls.ca)} --tlscert {_word(tls.cert)} --tlskey {_word(tls.key)} " if tls else ""
    readers = f"--cacert {_word(tls.ca)} --cert {_word(tls.cert)} --key {_word(tls.key)} " if tls else ""
    return [
        f"natsctl sub {clients}-s {urls} '>'",
        f"natsctl pub {clients}-s {nodes[-1].client_url} greetings hello",
        f"natsctl cluster status {readers}-s {nodes[0].monitor_url}",
        f"natsctl top {readers}-s {nodes[0].monitor_url} --cluster",
        f"kill -9 {cluster.nodes[-1].pid}",
    ]


def _word(path: str | None) -> str:
    return shlex.quote(path or "")


def _reason(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
