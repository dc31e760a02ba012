"""Files that tell other programs where a broker is: its process id and its ports.

Source: nats-server 2.15, flags ``-P`` and ``--ports_file_dir``.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from natsctl.broker.logs import Logger
from natsctl.config import Options
from natsctl.errors import ServerError

__all__ = ["PortsFile", "ProcessFiles", "check_writable", "write_pid_file"]

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


class ProcessFiles:
    """The files of a running process.

    Args:
        log: Told of a file that others can do without.
    """

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._ports: PortsFile | None = None

    def write_pid(self, path: str) -> None:
        """Write a pid file while running; an empty path writes none."""
        try:
            if path:
                write_pid_file(path)
        except ServerError as error:
            self._log.error(str(error))

    def move_ports(self, directory: str, documents: Mapping[str, Sequence[str]]) -> None:
        """Have the ports file in this directory, and in no other; an empty one has none."""
        self.remove()
        if not directory:
            return
        file = PortsFile(directory, documents)
        try:
            file.write()
            self._ports = file
        except ServerError as error:  # as nats-server: clients can do without it
            self._log.error(str(error))

    def remove(self) -> None:
        """Delete the ports file."""
        try:
            if self._ports is not None:
                self._ports.remove()
        except ServerError as error:
            self._log.error(str(error))
        self._ports = None


def check_writable(new: Options, old: Options) -> list[str]:
    """Say which files of a process could not be written where they shall be from now on."""
    found = []
    if new.pid_file and new.pid_file != old.pid_file:
        place = new.pid_file if os.path.exists(new.pid_file) else os.path.dirname(new.pid_file) or "."
        if os.path.isdir(new.pid_file) or not os.access(place, os.W_OK):
            found.append(f'could not write pidfile "{new.pid_file}"')
    directory = new.ports_file_dir
    if directory and directory != old.ports_file_dir and not _is_writable_directory(directory):
        found.append(f'could not write ports file in "{directory}"')
    return found


def _is_writable_directory(path: str) -> bool:
    return os.path.isdir(path) and os.access(path, os.W_OK)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
