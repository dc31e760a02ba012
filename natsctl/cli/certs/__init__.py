"""``natsctl certs``: a certificate authority, and cfssl's commands; one module for each group of commands."""

from __future__ import annotations

from types import ModuleType

import typer

from natsctl.cli.certs import defaults, gencert, look, make, probe, renew, sign, split, tell

__all__ = ["app"]

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Make, check and renew certificates.")


def _add(*groups: ModuleType) -> None:
    for group in groups:
        app.registered_commands.extend(group.app.registered_commands)


_add(make, look, probe, renew, gencert, sign, split, tell, defaults)
