"""The official clients as programs, and natsctl as the server they are told of."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent


class Server:
    """``natsctl server`` as a process."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._process: subprocess.Popen[str] | None = None
        self.port = -1
        self.url = ""

    def start(self) -> None:
        """Return when clients can connect; after a stop, on the same port as before."""
        command = [sys.executable, "-m", "natsctl", "server", "-c", str(self._config), "-p", str(self.port)]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        log = ""
        while "Server is ready" not in log:
            line = self._process.stderr.readline()
            assert line, log
            if "Listening for client connections on" in line:
                self.port = int(line.rpartition(":")[2])
                self.url = f"nats://127.0.0.1:{self.port}"
            log += line

    def stop(self) -> None:
        """End it as an operator does; that it obeys is part of every test."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            _, log = self._process.communicate(timeout=20)
            code, self._process = self._process.returncode, None
            assert code == 0, log
            assert "Traceback" not in log


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """Start a server with a configuration; the same configuration gets the same server."""
    with ExitStack() as stack:
        running: dict[str, Server] = {}

        def start(config: str) -> Server:
            if config not in running:
                path = tmp_path_factory.mktemp("server") / "nats.conf"
                path.write_text(f'host: "127.0.0.1"\n{config}\n')
                running[config] = Server(path)
                stack.callback(running[config].stop)
                running[config].start()
            return running[config]

        yield start


@pytest.fixture(scope="session", params=["nats-py", "transport-node", "cnats"])
def peer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command of a program that uses an official client."""
    if request.param == "nats-py":
        return [sys.executable, str(PROGRAMS / "peer.py")]
    if request.param == "transport-node":
        return _node_command()
    return _c_command(tmp_path_factory.mktemp("cnats"))


def _node_command() -> list[str]:
    node = shutil.which("node")
    if not node:
        pytest.skip("needs Node.js: apt-get install nodejs npm")
    modules = os.environ.get("NATSCTL_NODE_MODULES", "")
    if not (Path(modules) / "@nats-io" / "transport-node").is_dir():
        pytest.skip(
            "needs @nats-io/transport-node: npm install --prefix DIR @nats-io/transport-node, "
            "then set NATSCTL_NODE_MODULES=DIR/node_modules"
        )
    env = shutil.which("env") or "env"
    return [env, f"NODE_PATH={modules}", node, str(PROGRAMS / "peer.cjs")]


def _c_command(folder: Path) -> list[str]:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        pytest.skip("needs a C compiler: apt-get install gcc")
    if not any((Path(root) / "nats" / "nats.h").exists() for root in ("/usr/include", "/usr/local/include")):
        pytest.skip("needs the C client: apt-get install libnats-dev")
    program = folder / "peer"
    command = [compiler, "-Wall", "-Wextra", "-Werror", "-o", str(program), str(PROGRAMS / "peer.c"), "-lnats"]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return [str(program)]
