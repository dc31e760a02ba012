"""The tables of exit codes for man pages: that of the README, read from the error classes, and that of checks."""

from __future__ import annotations

from collections.abc import Iterator

from natsctl.cli.tree import EXIT_BROKEN_PIPE, EXIT_INTERRUPTED, EXIT_TERMINATED
from natsctl.errors import NatsctlError
from natsctl.ops.check.result import Status

__all__ = ["check_codes", "exit_codes"]

_SIGNALS = {
    EXIT_INTERRUPTED: "Interrupted (Ctrl-C).",
    EXIT_BROKEN_PIPE: "The reader of the output went away (SIGPIPE).",
    EXIT_TERMINATED: "Terminated (SIGTERM).",
}


def exit_codes() -> dict[int, str]:
    """Give every exit code with its meaning, ascending."""
    codes = {0: "Success.", 1: "Any other error.", 2: "The command line is wrong."}
    for error in _tree(NatsctlError):
        if "exit_code" in vars(error):
            codes.setdefault(error.exit_code, (error.__doc__ or "").partition("\n")[0])
    return dict(sorted((codes | _SIGNALS).items()))


def check_codes() -> dict[int, str]:
    """Give those of ``natsctl check``, which monitoring systems have agreed upon."""
    return {
        Status.OK: "OK: nothing is beyond its limits; or metrics were written, whatever they say.",
        Status.WARNING: "WARNING: something is beyond its limit for warning.",
        Status.CRITICAL: "CRITICAL: something is beyond its limit for critical, or out of reach.",
        Status.UNKNOWN: "UNKNOWN: nothing could be found out, or the command line is wrong.",
    } | _SIGNALS


def _tree(error: type[NatsctlError]) -> Iterator[type[NatsctlError]]:
    yield error
    for child in error.__subclasses__():
        yield from _tree(child)
