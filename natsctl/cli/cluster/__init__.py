"""``natsctl cluster``: run a cluster on this machine, and see how any cluster is."""

from __future__ import annotations

import typer

from natsctl.cli.cluster import status, up

__all__ = ["app"]

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Run a local cluster, and see how one is.")
for group in (up, status):
    app.registered_commands.extend(group.app.registered_commands)
