"""``natsctl check``: plugins for monitoring systems; one module for each check."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from natsctl.cli.check import cert, cluster, connection, server, slow_consumers
from natsctl.cli.tree import WrongUsage, sentence
from natsctl.errors import NatsctlError
from natsctl.ops.check.result import Status

__all__ = ["app"]


class _Plugins(TyperGroup):
    """Commands whose every end is a line and an exit code that a monitoring system understands."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Read what stands before the name of the check."""
        try:
            return super().make_context(info_name, args, parent=parent, **extra)
        except WrongUsage as error:
            raise _unknown(sentence(error.format_message())) from None

    def invoke(self, ctx: Any) -> Any:
        """Run the check; what keeps it from finding out is UNKNOWN, never a code that means something else."""
        try:
            return super().invoke(ctx)
        except WrongUsage as error:
            raise _unknown(sentence(error.format_message())) from None
        except NatsctlError as error:
            raise _unknown(f"{error} ({error.hint})" if error.hint else str(error)) from None
        except BrokenPipeError:
            raise
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise _unknown(place + sentence(error.strerror or str(error))) from None
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:  # a bug must not look like an outage
            raise _unknown(f"internal error: {type(error).__name__}: {error}") from error


def _unknown(text: str) -> typer.Exit:
    print(f"{Status.UNKNOWN.name} - {' '.join(text.split())}", flush=True)
    return typer.Exit(Status.UNKNOWN)


app = typer.Typer(cls=_Plugins, add_completion=False, no_args_is_help=True, help="Check for a monitoring system.")
for group in (connection, server, slow_consumers, cluster, cert):
    app.registered_commands.extend(group.app.registered_commands)
