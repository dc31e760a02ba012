"""Files that tell other programs where a broker is: its process id and its ports.

Source: nats-server 2.15, flags ``-P`` and ``--ports_file_dir``.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from natsctl.errors import ServerError

__all__ = ["PortsFile", "write_pid_file"]

PID_FILE_MODE = 0o600
PORTS_FILE_MODE = 0o644
LISTENERS = ("nats", "monitoring", "cluster", "profile", "websocket", "leafnodes")


def write_pid_file(path: str) -> None:
    """Write the process id in decimal, without a newline; like nats-server's, the file outlives the process.

    Raises:
        ServerError: The file cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PID_FILE_MODE)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
    except OSError as error:
        raise ServerError(f'could not write pidfile "{path}": {_reason(error)}') from error


class PortsFile:
    """``natsctl_<pid>.ports``: the URLs a broker listens on, for programs that started it with port -1.

    Wire: ``{"nats":["nats://127.0.0.1:21222"],"monitoring":["http://127.0.0.1:21822"]}``.

    Args:
        directory: Where the file goes; must exist.
        documents: URLs by listener (``nats``, ``monitoring``, ``cluster``, ``profile``, ``websocket``, ``leafnodes``).
            Listeners without a URL are left out.
    """

    def __init__(self, directory: str, documents: Mapping[str, Sequence[str]]) -> None:
        self.path = os.path.join(directory, f"natsctl_{os.getpid()}.ports")
        self._content = msgspec.json.encode({name: documents[name] for name in LISTENERS if documents.get(name)})

    def write(self) -> None:
        """Put the file in place whole: a program that waits for it never reads half of it.

        Raises:
            ServerError: The file cannot be written.
        """
        temporary = ""
        try:
            descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(self.path) or ".", prefix=".natsctl_")
            with open(descriptor, "wb") as file:
                file.write(self._content)
                os.fchmod(descriptor, PORTS_FILE_MODE)
            os.replace(temporary, self.path)
        except OSError as error:
            if temporary:
                with suppress(OSError):
                    os.remove(temporary)
            raise ServerError(f'could not write ports file "{self.path}": {_reason(error)}') from error

    def remove(self) -> None:
        """Delete the file, as part of an orderly exit.

        Raises:
            ServerError: The file is there and cannot be deleted.
        """
        try:
            os.remove(self.path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise ServerError(f'could not remove ports file "{self.path}": {_reason(error)}') from error


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
