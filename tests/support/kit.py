"""A local cluster as ``natsctl cluster up`` runs it, and what it says of itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["RunningKit", "running_kit"]

PATIENCE_S = 30.0


class RunningKit:
    """A cluster that has formed.

    Attributes:
        process: The command.
        ready: What it said then.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.ready: dict[str, Any] = self.event()

    def event(self) -> dict[str, Any]:
        """Wait for the next thing it tells."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"it ended: {self.process.stderr and self.process.stderr.read()}"
        event: dict[str, Any] = json.loads(line)
        return event

    @property
    def monitor_urls(self) -> list[str]:
        """Of all nodes."""
        return [node["monitor_url"] for node in self.ready["nodes"]]

    def kill(self, index: int) -> None:
        """Kill a node, and wait until that is told."""
        node = self.ready["nodes"][index]
        os.kill(node["pid"], signal.SIGKILL)
        assert self.event() == {"event": "exited", "node": node["name"], "exit_code": -signal.SIGKILL}

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def survivors(self) -> list[int]:
        """Nodes whose processes are there."""
        return [node["pid"] for node in self.ready["nodes"] if Path(f"/proc/{node['pid']}").exists()]


@contextmanager
def running_kit(*arguments: str, temporary: Path, engine: str = "nats-server") -> Iterator[RunningKit]:
    """Run a cluster until the end of the block.

    Args:
        arguments: Further ones of the command.
        temporary: Directory for what is temporary.
        engine: What the nodes are.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "natsctl", "cluster", "up", "--json", "--engine", engine, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary)},
    )
    with process:
        try:
            yield RunningKit(process)
        finally:
            process.terminate()
