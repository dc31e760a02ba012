"""A result with everything that is needed to judge it: the machine, the versions, and every run."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from benchmarks.rounds import Results
from benchmarks.servers import REFERENCE, Contender
from natsctl.errors import UsageError

__all__ = ["Document", "Machine", "describe_machine", "read", "today", "write"]


class Machine(msgspec.Struct, frozen=True):
    """Where and with what it was measured.

    Attributes:
        load: Average of the minute before the first run: what else the machine did.
        versions: Program or library to its version.
    """

    cpu: str
    cores: int
    kernel: str
    python: str
    load: float
    versions: dict[str, str]


class Document(msgspec.Struct, frozen=True):
    """A result.

    Attributes:
        date: When it began, in UTC.
        seconds: Length of each load.
        rows: Names, in the order of the table.
    """

    date: str
    machine: Machine
    rounds: int
    seconds: float
    engines: list[str]
    rows: list[str]
    results: Results


def describe_machine(contenders: Sequence[Contender]) -> Machine:
    """Look at this machine."""
    versions = {name: _version(name) for name in ("natsctl", "uvloop")}
    for contender in contenders:
        if contender.name == REFERENCE:
            shown = subprocess.run([*contender.command, "--version"], capture_output=True, text=True)
            versions[REFERENCE] = shown.stdout.rpartition("v")[2].strip()
    return Machine(
        cpu=_cpu(),
        cores=os.cpu_count() or 0,
        kernel=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        load=os.getloadavg()[0],
        versions=versions,
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def today() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write(document: Document, path: Path) -> None:
    """Write a result as JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")


def read(path: Path) -> Document:
    """Read a result.

    Raises:
        UsageError: It cannot be read, or is no result.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Document)
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(f"cannot read the result {path}: {error}") from None
