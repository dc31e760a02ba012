"""The only place of `natsctl.pki` that touches the disk: bounded reading, and writing all or nothing.

Keys are readable for their owner from the first byte on, and nothing is replaced unless that is asked for.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from natsctl.errors import NatsctlError, UsageError

__all__ = ["MAX_FILE_BYTES", "NewFile", "read_file", "read_key", "write_files"]

MAX_FILE_BYTES = 4 << 20
"""Bundles of a whole operating system have a quarter of a megabyte."""

_SECRET, _PUBLIC = 0o600, 0o644
_OTHERS = stat.S_IROTH | stat.S_IWOTH
_OTHERS_AND_GROUP = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to write."""

    path: Path
    data: bytes
    is_secret: bool = False
    """Whether only its owner may read it."""


def read_file(path: str | Path) -> bytes:
    """Read a file, or what a pipe gives.

    Raises:
        NatsctlError: It cannot be read, or is too large to be meant.
    """
    try:
        with open(path, "rb") as file:
            return _read(file.fileno(), path)
    except (OSError, ValueError) as error:
        raise _named(path, error) from None


def read_key(path: str | Path) -> bytes:
    """Read a file with a private key.

    Raises:
        NatsctlError: It cannot be read, or everybody can read or change it.
    """
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if stat.S_ISREG(mode) and mode & _OTHERS:
                does = "change" if mode & stat.S_IWOTH else "read"
                message = f"{path}: everybody can {does} this private key (mode {stat.S_IMODE(mode):04o})"
                raise NatsctlError(message, hint=f"chmod 600 {path}")
            return _read(file.fileno(), path)
    except (OSError, ValueError) as error:
        raise _named(path, error) from None


def write_files(files: Sequence[NewFile], *, force: bool = False) -> None:
    """Write files so that either all appear, complete, or none.

    A symbolic link in the place of a file is replaced, never followed. A file that is there with the same content, and
    is no more readable than it should be, is left alone.

    Args:
        files: What to write; missing directories are made.
        force: Replace files that are there.

    Raises:
        UsageError: A file is there already, and ``force`` is not set.
        NatsctlError: One cannot be written.
    """
    files = [file for file in files if not _is_there(file)]
    if not force:
        _check_absent(file.path for file in files)
    with contextlib.ExitStack() as undo:
        staged = [(_stage(file, undo), file.path) for file in files]
        for temporary, path in staged:
            try:
                _publish(temporary, path, force, undo)
            except OSError as error:
                raise _named(path, error) from None
        undo.pop_all()
    for directory in {path.parent for _, path in staged}:
        with contextlib.suppress(OSError):  # some file systems cannot; the files are there all the same
            _sync(directory)


def _is_there(file: NewFile) -> bool:
    try:
        found = file.path.lstat()
        is_safe = stat.S_ISREG(found.st_mode) and not (file.is_secret and found.st_mode & _OTHERS_AND_GROUP)
        return is_safe and found.st_size == len(file.data) and file.path.read_bytes() == file.data
    except OSError:
        return False


def _check_absent(paths: Iterable[Path]) -> None:
    there = [str(path) for path in paths if os.path.lexists(path)]
    if there:
        is_one = len(there) == 1
        message = f"{', '.join(there)} {'is' if is_one else 'are'} there already"
        raise UsageError(message, hint=f"--force replaces {'it' if is_one else 'them'}")


def _stage(file: NewFile, undo: contextlib.ExitStack) -> Path:
    """Write a file completely under another name in its directory."""
    temporary = file.path.with_name(f".{file.path.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    _make_directory(file.path.parent, undo)
    try:
        descriptor = os.open(temporary, flags, _SECRET if file.is_secret else _PUBLIC)
        undo.callback(_remove, temporary)
        with open(descriptor, "wb") as stream:
            stream.write(file.data)
            stream.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise _named(file.path, error) from None
    return temporary


def _make_directory(directory: Path, undo: contextlib.ExitStack) -> None:
    for place in reversed((directory, *directory.parents)):
        if not os.path.lexists(place):
            undo.callback(_remove_directory, place)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _named(directory, error) from None


def _publish(temporary: Path, path: Path, force: bool, undo: contextlib.ExitStack) -> None:
    if force:
        os.replace(temporary, path)
        return
    os.link(temporary, path)  # unlike a rename it fails where something has come meanwhile
    undo.callback(_remove, path)
    os.unlink(temporary)


def _read(descriptor: int, path: str | Path) -> bytes:
    chunks, n_bytes = [], 0
    while chunk := os.read(descriptor, 65536):
        n_bytes += len(chunk)
        if n_bytes > MAX_FILE_BYTES:
            raise NatsctlError(f"{path}: more than the limit of {MAX_FILE_BYTES} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _remove(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def _remove_directory(directory: Path) -> None:
    with contextlib.suppress(OSError):  # somebody has put something there meanwhile
        directory.rmdir()


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _named(path: str | Path, error: OSError | ValueError) -> NatsctlError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return NatsctlError(f"{path}: {reason[:1].lower()}{reason[1:]}")
