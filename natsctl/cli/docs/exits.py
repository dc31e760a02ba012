"""The table of exit codes, read from the error classes; man pages and the README show the same one."""

from __future__ import annotations

from collections.abc import Iterator

from natsctl.cli.tree import EXIT_BROKEN_PIPE, EXIT_INTERRUPTED, EXIT_TERMINATED
from natsctl.errors import NatsctlError

__all__ = ["exit_codes"]


def exit_codes() -> dict[int, str]:
    """Give every exit code with its meaning, ascending."""
    codes = {0: "Success.", 1: "Any other error.", 2: "The command line is wrong."}
    for error in _tree(NatsctlError):
        if "exit_code" in vars(error):
            codes.setdefault(error.exit_code, (error.__doc__ or "").partition("\n")[0])
    codes[EXIT_INTERRUPTED] = "Interrupted (Ctrl-C)."
    codes[EXIT_BROKEN_PIPE] = "The reader of the output went away (SIGPIPE)."
    codes[EXIT_TERMINATED] = "Terminated (SIGTERM)."
    return dict(sorted(codes.items()))


def _tree(error: type[NatsctlError]) -> Iterator[type[NatsctlError]]:
    yield error
    for child in error.__subclasses__():
        yield from _tree(child)
