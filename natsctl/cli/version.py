"""``natsctl version``: which natsctl this is, and what it is made of."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from importlib.util import find_spec
from typing import Annotated

import typer

from natsctl import __version__, engine
from natsctl.protocol.documents import PROTOCOL_RELEASE

__all__ = ["LIBRARIES", "Versions", "app", "read_versions", "version"]

LIBRARIES = ("typer", "rich", "msgspec", "nats-py", "nkeys", "pynacl", "bcrypt", "uvloop")
"""Distributions whose version matters when a problem is reported."""

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class Versions:
    """What decides how this natsctl behaves."""

    natsctl: str
    protocol: str
    """The nats-server release whose protocol is spoken."""
    engine: str
    python: str
    event_loop: str
    platform: str
    libraries: dict[str, str]
    """Distribution to version, of those that are installed."""


@app.command()
def version(
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON document.")] = False,
) -> None:
    """Show the versions of natsctl and its parts."""
    versions = asdict(read_versions())
    if as_json:
        print(json.dumps(versions, indent=2))
        return
    libraries = versions.pop("libraries")
    rows = versions | {"libraries": ", ".join(f"{name} {number}" for name, number in libraries.items())}
    for name, value in rows.items():
        print(f"{name.replace('_', ' '):<12}{value}")


def read_versions() -> Versions:
    """Collect the versions; only metadata is read, no library is imported."""
    return Versions(
        natsctl=__version__,
        protocol=PROTOCOL_RELEASE,
        engine=engine.describe(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        event_loop="uvloop" if find_spec("uvloop") else "asyncio",
        platform=platform.platform(),
        libraries={name: number for name in LIBRARIES if (number := _version_of(name))},
    )


def _version_of(distribution: str) -> str | None:
    try:
        return version_of(distribution)
    except PackageNotFoundError:
        return None
