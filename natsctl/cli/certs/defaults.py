"""``natsctl certs print-defaults`` and ``version``: documents to begin with, and what signs."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version as version_of
from typing import Annotated

import typer

from natsctl import __version__
from natsctl.cli.goflags import GoCommand
from natsctl.config.words import did_you_mean
from natsctl.errors import UsageError

__all__ = ["app"]

app = typer.Typer(add_completion=False)

_DEFAULTS: dict[str, object] = {
    "config": {
        "signing": {
            "default": {"expiry": "168h"},
            "profiles": {
                "www": {"expiry": "8760h", "usages": ["signing", "key encipherment", "server auth"]},
                "client": {"expiry": "8760h", "usages": ["signing", "key encipherment", "client auth"]},
            },
        }
    },
    "csr": {
        "CN": "example.net",
        "hosts": ["example.net", "www.example.net"],
        "key": {"algo": "ecdsa", "size": 256},
        "names": [{"C": "US", "ST": "CA", "L": "San Francisco"}],
    },
}


@app.command("print-defaults", cls=GoCommand, options_metavar="[FLAGS]")
def print_defaults(
    kind: Annotated[str, typer.Argument(help="config, csr, or list for their names.", metavar="KIND")] = "list",
) -> None:
    """Write a document to begin with, as cfssl does."""
    if kind == "list":
        print("Default configurations are available for:", *_DEFAULTS, sep="\n\t")
    elif kind in _DEFAULTS:
        print(json.dumps(_DEFAULTS[kind], indent=4))
    else:
        raise UsageError(f'there is no default for "{kind}"{did_you_mean(kind, _DEFAULTS)}')


@app.command("version", cls=GoCommand, options_metavar="[FLAGS]")
def version() -> None:
    """Show the versions of natsctl and of the library that signs, in cfssl's form."""
    print(f"Version: {__version__}")
    print("Revision: natsctl")
    print(f"Runtime: Python {platform.python_version()}, cryptography {version_of('cryptography')}")
