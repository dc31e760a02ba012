"""The command tree: branches that load when they are used, and one place where errors become exit codes.

Errors go to stderr as ``natsctl: <message>``, followed by ``hint: <what to do>`` where there is something to do.
"""

from __future__ import annotations

import os
import re
import sys
from functools import partial
from importlib import import_module
from typing import Annotated, Any, NoReturn, cast

import typer
from typer.core import TyperCommand, TyperGroup

from natsctl.cli.main import COMMANDS, print_version
from natsctl.errors import NatsctlError

__all__ = ["EXIT_BROKEN_PIPE", "EXIT_INTERRUPTED", "EXIT_TERMINATED", "Branch", "WrongUsage", "build", "run"]
__all__ += ["sentence"]

EXIT_INTERRUPTED = 130
"""What a shell reports for a program that SIGINT ended."""
EXIT_BROKEN_PIPE = 141
"""What a shell reports for a program that SIGPIPE ended."""
EXIT_TERMINATED = 143
"""What a shell reports for a program that SIGTERM ended; the commands that wait for messages end so."""

_FOREIGN = re.compile(": (Input |Value error, )")
"""How the validation behind Typer begins its sentences."""
# The class Typer raises for a wrong command line; the module it lives in depends on Typer's version.
WrongUsage = cast("type[typer.BadParameter]", typer.BadParameter.__base__)
"""A command line that cannot be read."""


class Branch(TyperCommand):
    """A name and a summary that stand for a command until it is used; only then is its module imported."""

    def load(self) -> Any:
        """Import the command's module and return the command."""
        command = typer.main.get_command(import_module(f"natsctl.cli.{self.name}").app)
        command.name = self.name
        return _plain(command)

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Let the command itself read its arguments and run in place of this branch."""
        return self.load().make_context(info_name, args, parent=parent, **extra)


def build() -> TyperGroup:
    """Make the root of the tree; no command is imported."""
    app = typer.Typer(add_completion=False)
    settings = {"help_option_names": ["-h", "--help"], "max_content_width": 120}
    app.callback(context_settings=settings)(_natsctl)
    root: Any = typer.main.get_command(app)
    root.name = "natsctl"
    for name, summary in COMMANDS.items():
        root.add_command(Branch(name, help=summary))
    return cast(TyperGroup, _plain(root))


def run(argv: list[str]) -> NoReturn:
    """Run one command line; without arguments, show the help.

    Raises:
        SystemExit: Always, with the exit code.
    """
    try:
        try:
            code = _invoke(argv or ["--help"])
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes stdout once more at exit and would complain about the same pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_BROKEN_PIPE
    except WrongUsage as error:
        code = _report(sentence(error.format_message()), *_usage(error), exit_code=error.exit_code)
    except NatsctlError as error:
        code = _report(str(error), error.hint and f"hint: {error.hint}", exit_code=error.exit_code)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        code = _report(place + sentence(error.strerror or str(error)), exit_code=1)
    except Exception as error:  # a bug must not bury the user in a traceback
        if os.environ.get("NATSCTL_TRACEBACK"):
            raise
        hint = "hint: this is a bug in natsctl; with NATSCTL_TRACEBACK=1 it shows where"
        code = _report(f"internal error: {type(error).__name__}: {error}", hint, exit_code=1)
    sys.exit(code)


def _show_version(wanted: bool) -> None:
    if wanted:
        print_version()
        raise typer.Exit


def _natsctl(
    version: Annotated[
        bool, typer.Option("--version", "-v", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Run, use and watch NATS: an embedded broker, messaging commands and the tools of an operator."""


def _invoke(argv: list[str]) -> int:
    root = build()
    try:
        with root.make_context("natsctl", list(argv)) as context:
            root.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    except typer.Abort:
        return EXIT_INTERRUPTED
    return 0


def _report(message: str, *more: str | None, exit_code: int) -> int:
    print("\n".join([f"natsctl: {message}", *filter(None, more)]), file=sys.stderr)
    return exit_code


def sentence(text: str) -> str:
    """Write a foreign message in the house's manner: lower case, no full stop."""
    text = _FOREIGN.sub(": ", text)
    return text[:1].lower() + text[1:].removesuffix(".")


def _usage(error: typer.BadParameter) -> list[str]:
    if error.ctx is None:
        return []
    return [error.ctx.get_usage().replace("Usage", "usage", 1), f"hint: '{error.ctx.command_path} --help' says more"]


def _plain(command: Any) -> Any:
    """Have help written as plain text, which keeps brackets, pipes well and is quick, whatever the app asks for."""
    command.rich_markup_mode = None
    children = getattr(command, "commands", {})
    for child in children.values():
        _plain(child)
    if children:
        command.no_args_is_help = False  # a missing command is an error like any other, not a page on stderr
    else:
        command.format_options = partial(_list_by_heading, command)
    return command


def _list_by_heading(command: Any, ctx: Any, formatter: Any) -> None:
    """List options below the headings they were declared with, which Typer does only when Rich draws the help."""
    groups: dict[str, list[tuple[str, str]]] = {}
    title = "Options"
    for param in command.get_params(ctx):
        title = getattr(param, "rich_help_panel", None) or ("Options" if "Options" in groups else title)
        heading = "Arguments" if param.param_type_name == "argument" else title
        if record := param.get_help_record(ctx):
            name, text = record
            if heading == "Arguments":
                name = name.partition(" <")[0]  # Typer adds Python's type, which tells an operator nothing
            groups.setdefault(heading, []).append((name, text))
    for heading, records in groups.items():
        with formatter.section(heading):
            formatter.write_dl(records)
