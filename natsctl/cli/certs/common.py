"""What cfssl's commands have in common: flags, input from a file or stdin, one line of JSON, and log lines."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable
from typing import Annotated

import typer

from natsctl.cli.output import note
from natsctl.errors import NatsctlError, UsageError
from natsctl.pki.authority import Authority
from natsctl.pki.files import MAX_FILE_BYTES, read_file, read_key
from natsctl.pki.profiles import DEFAULT_POLICY, Policy, read_policy

__all__ = [
    "CaFile",
    "CaKeyFile",
    "ConfigFile",
    "Hostname",
    "Log",
    "LogLevel",
    "ProfileName",
    "load_authority",
    "load_policy",
    "read_input",
    "split_hosts",
    "write_json",
]

_PASSWORD = "CFSSL_CA_PK_PASSWORD"

CaFile = Annotated[str, typer.Option("--ca", help="Certificate of the CA that signs.", metavar="FILE")]
CaKeyFile = Annotated[
    str,
    typer.Option(
        "--ca-key", help=f"Key of the CA; if it is encrypted, {_PASSWORD} in the environment opens it.", metavar="FILE"
    ),
]
ConfigFile = Annotated[str, typer.Option("--config", help="cfssl's configuration with the profiles.", metavar="FILE")]
ProfileName = Annotated[str, typer.Option("--profile", help="Which profile to sign with.", metavar="NAME")]
Hostname = Annotated[
    str,
    typer.Option("--hostname", help="Names and addresses with commas, in place of those asked for.", metavar="HOSTS"),
]
LogLevel = Annotated[
    int, typer.Option("--loglevel", help="0 and 1 show all, 2 only warnings, more nothing.", metavar="N")
]

_INFO, _WARNING = 1, 2


class Log:
    """Lines on stderr as cfssl writes them."""

    def __init__(self, level: int) -> None:
        self._level = level

    def info(self, text: str) -> None:
        """Tell of a step."""
        self._write(_INFO, "INFO", text)

    def warn(self, findings: Iterable[object]) -> None:
        """Tell of what is doubtful."""
        for finding in findings:
            self._write(_WARNING, "WARNING", str(finding))

    def _write(self, level: int, word: str, text: str) -> None:
        if level >= self._level:
            note(f"{time.strftime('%Y/%m/%d %H:%M:%S')} [{word}] {text}")


def read_input(path: str) -> tuple[bytes, str]:
    """Read a file, or stdin for ``-``; give its content and what to call it."""
    if path != "-":
        return read_file(path), path
    data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise NatsctlError(f"stdin: more than the limit of {MAX_FILE_BYTES} bytes")
    if not data.strip():
        raise NatsctlError("stdin: nothing came; if a command writes to it, that one failed")
    return data, "stdin"


def load_policy(path: str, log: Log) -> Policy:
    """Read the profiles; cfssl's own without a file."""
    if not path:
        return DEFAULT_POLICY
    policy, warnings = read_policy(read_file(path), path)
    log.warn(warnings)
    return policy


def load_authority(ca: str, ca_key: str) -> Authority:
    """Load the CA that signs.

    Raises:
        UsageError: A file was not named.
        NatsctlError: A file is not what it should be, or they do not belong together.
    """
    for flag, path in (("-ca", ca), ("-ca-key", ca_key)):
        if not path:
            raise UsageError(f"the CA that signs is missing: name its file with {flag}")
    password = os.environ.get(_PASSWORD, "").encode() or None
    try:
        return Authority.load(read_file(ca), read_key(ca_key), names=(ca, ca_key), password=password)
    except NatsctlError as error:
        if str(error).endswith("the key is encrypted"):
            error.hint = f"set {_PASSWORD} in the environment"
        raise


def split_hosts(text: str) -> list[str] | None:
    """Split hosts at their commas; None when none are given."""
    return text.split(",") if text else None


def write_json(**parts: bytes) -> None:
    """Write PEM texts as one line of JSON, in the order cfssl has."""
    print(json.dumps({name: parts[name].decode() for name in sorted(parts)}, separators=(",", ":")))
