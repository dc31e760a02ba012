r"""Write readings to a file as they come: NDJSON, plain or gzip, one line per poll after a header.

Wire: ``{"natsctl_recording":1,"natsctl":"0.3.0","started_at_ns":...}\n`` and then readings, each
``{"taken_at_ns":...,"server":"http://...","asked_mono":...,"taken_mono":...,"varz":{...},"connz":{...}}\n``; see
:class:`~natsctl.monitoring.snapshot.Reading`.

Files are for their owner only (mode 0600), as they hold addresses and names of users. JWTs are left out.
"""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from natsctl import __version__
from natsctl.errors import NatsctlError, UsageError
from natsctl.monitoring.documents import Connz
from natsctl.monitoring.snapshot import Reading
from natsctl.monitoring.times import NS, format_time

__all__ = ["FORMAT", "Header", "Recorder", "segments_of"]

FORMAT = 1
SEGMENTS = 24
"""How many files the time to keep is spread over; what is kept may be older by one of them."""
DEFAULT_MAX_BYTES = 1024**3
MIN_SEGMENT_BYTES = 1024
COMPRESSION = 6


class Header(msgspec.Struct):
    """The first line of a recording.

    Attributes:
        natsctl_recording: The version of the format.
        natsctl: The version that wrote it.
        started_at_ns: When, in nanoseconds since 1970.
    """

    natsctl_recording: int
    natsctl: str = ""
    started_at_ns: int = 0


class Recorder:
    """Writes readings to a file, or keeps the last hours of them in several.

    Without ``keep_s`` all goes into ``path``, which must not exist. With it, ``path`` names a family of files,
    ``NAME.20260102T030405Z.ndjson.gz`` for ``NAME.ndjson.gz``: a new one is begun when the last has its share of the
    time or of the bytes, and the oldest are deleted; files of an earlier run of the same name count, too. Each line is
    in the file when :meth:`write` returns, so that a crash costs no more than the line under way.

    Args:
        path: The file; compressed when it ends in ``.gz``.
        keep_s: Keep so many seconds, at least.
        max_bytes: Keep at most so many bytes, with ``keep_s``.
        clock_ns: The time here.

    Raises:
        UsageError: The file exists, or cannot be made.
    """

    def __init__(
        self,
        path: Path,
        *,
        keep_s: float | None = None,
        max_bytes: int = DEFAULT_MAX_BYTES,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._path = path
        self._keep_ns = None if keep_s is None else int(keep_s * NS)
        self._max_bytes = max_bytes
        self._clock_ns = clock_ns
        self._encoder = msgspec.json.Encoder()
        self._begin()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def write(self, reading: Reading) -> None:
        """Add a reading.

        Raises:
            NatsctlError: The disk is full, or otherwise refuses.
        """
        if self._keep_ns is not None and self._is_segment_full(self._keep_ns):
            self.close()
            self._begin()
        self._write_line(self._encoder.encode(_without_secrets(reading)))

    def close(self) -> None:
        """Finish the file."""
        try:
            with self._file:
                self._out.close()
        except OSError as error:
            raise self._refused(error) from None

    def _begin(self) -> None:
        now_ns = self._clock_ns()
        path = self._path if self._keep_ns is None else _segment(self._path, now_ns)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise UsageError(f'the recording "{path}" exists', hint="choose another name, or delete it") from None
        except OSError as error:
            raise UsageError(f'cannot record to "{path}": {error.strerror}') from None
        self._file: BinaryIO = os.fdopen(descriptor, "wb")
        self._out: BinaryIO = self._file
        if path.suffix == ".gz":
            self._out = cast(BinaryIO, gzip.GzipFile("", "wb", COMPRESSION, self._file, 0))
        self._began_ns = now_ns
        self._write_line(self._encoder.encode(Header(FORMAT, __version__, now_ns)))
        if self._keep_ns is not None:
            self._delete_old(self._keep_ns)

    def _write_line(self, line: bytes) -> None:
        try:
            self._out.write(line + b"\n")
            self._out.flush()
            self._file.flush()
        except OSError as error:
            raise self._refused(error) from None

    def _refused(self, error: OSError) -> NatsctlError:
        return NatsctlError(f'cannot record to "{self._path}": {error.strerror}')

    def _is_segment_full(self, keep_ns: int) -> bool:
        age_ns = self._clock_ns() - self._began_ns
        share_bytes = max(MIN_SEGMENT_BYTES, self._max_bytes // SEGMENTS)
        # A segment lasts a second at least, as their names tell seconds.
        return age_ns >= NS and (age_ns >= keep_ns // SEGMENTS or self._file.tell() >= share_bytes)

    def _delete_old(self, keep_ns: int) -> None:
        """Delete the oldest segments until those that are left are young and small enough, with one yet to fill."""
        segments = segments_of(self._path)
        sizes = [segment.stat().st_size for segment in segments]
        budget = self._max_bytes - max(MIN_SEGMENT_BYTES, self._max_bytes // SEGMENTS)
        horizon = _segment(self._path, self._clock_ns() - keep_ns).name
        # A segment holds what came until the next began; the newest is the one being written.
        while len(segments) > 1 and (segments[1].name <= horizon or sum(sizes) > budget):
            segments.pop(0).unlink(missing_ok=True)
            sizes.pop(0)


def segments_of(path: Path) -> list[Path]:
    """The files that a recorder with ``keep_s`` made for ``path``, oldest first."""
    stem, ending = _split(path)
    pattern = "[0-9]" * 8 + "T" + "[0-9]" * 6 + "Z"
    escaped = "".join(f"[{char}]" if char in "*?[" else char for char in stem)
    return sorted(path.parent.glob(f"{escaped}.{pattern}{ending}"))


def _segment(path: Path, at_ns: int) -> Path:
    stem, ending = _split(path)
    moment = format_time(at_ns - at_ns % NS).replace("-", "").replace(":", "")
    return path.with_name(f"{stem}.{moment}{ending}")


def _split(path: Path) -> tuple[str, str]:
    """The name without, and the ending, of ``name.ndjson.gz`` and the like."""
    ending = "".join(path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:])
    return path.name.removesuffix(ending), ending


def _without_secrets(reading: Reading) -> Reading:
    return msgspec.structs.replace(reading, connz=_without_jwt(reading.connz), closed=_without_jwt(reading.closed))


def _without_jwt(connz: Connz | None) -> Connz | None:
    if connz is None or not any(conn.jwt for conn in connz.connections):
        return connz
    connections = [msgspec.structs.replace(conn, jwt="") if conn.jwt else conn for conn in connz.connections]
    return msgspec.structs.replace(connz, connections=connections)
