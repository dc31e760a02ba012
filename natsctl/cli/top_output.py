"""What ``natsctl top`` does without a screen: write snapshots as they come, or only record them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from natsctl.cli.output import DataOutput, note
from natsctl.cli.top_export import csv_rows, json_line
from natsctl.cli.top_text import TopText
from natsctl.errors import LinkError, NatsctlError, UsageError
from natsctl.monitoring.dns import ReverseLookups
from natsctl.monitoring.snapshot import Snapshot
from natsctl.ops.sources import open_source
from natsctl.ops.watch import Source, Watch

__all__ = ["Form", "Output", "record_only", "write_snapshots"]

_LOOKUP_S = 2.0
"""How long a table waits for the names of addresses it shows for the first time."""
_LOOKUP_STEP_S = 0.05


@dataclass(frozen=True, slots=True)
class Form:
    """How a snapshot is written.

    Attributes:
        name: ``table``, ``csv`` or ``json``.
        delimiter: What divides the cells of the table, or None for columns.

    Raises:
        UsageError: The delimiter is not one character, or does not belong here.
    """

    name: str
    delimiter: str | None = None

    def __post_init__(self) -> None:
        if self.delimiter is None:
            return
        if self.name != "table":
            raise UsageError(f"a delimiter is for the table, not for {self.name}", hint="--format csv has commas")
        if len(self.character) != 1 or self.character in '\r\n"':
            raise UsageError(f'the delimiter must be one character, not "{self.delimiter}"')

    @property
    def character(self) -> str:
        r"""The delimiter itself, where a shell user wrote ``\t``."""
        return "\t" if self.delimiter == "\\t" else self.delimiter or ""


@dataclass(frozen=True, slots=True)
class Output:
    """Where snapshots are written, and how.

    Attributes:
        path: A file, or ``-`` for stdout.
        form: How.
    """

    path: str
    form: Form


async def write_snapshots(watch: Watch, output: Output) -> None:
    """Write the snapshots until there are as many as asked for.

    Raises:
        LinkError: No server could be read.
    """
    names = _Names() if watch.lookup else None
    async with _opened(watch) as source, _opened_file(output.path) as write:
        text = TopText(
            raw=watch.raw,
            subscriptions=watch.subscriptions,
            show_url=watch.cluster or len(source.servers) > 1,
            delimiter=output.form.character,
            host_of=names.host_of if names else str,
        )
        is_first = True
        async for snapshot in _watched(source, watch):
            if output.form.name == "json":
                await write(json_line(snapshot))
            elif output.form.name == "csv":
                await write(csv_rows(snapshot, with_header=is_first))
            elif snapshot.varz:
                if names:
                    await names.wait_for(snapshot)
                await write(text.write(snapshot))
            is_first = False


async def record_only(watch: Watch) -> None:
    """Record until there are as many refreshes as asked for, and tell only what changes.

    Raises:
        LinkError: No server could be read.
    """
    async with _opened(watch) as source:
        note(f"recording {', '.join(source.servers)} to {watch.record}")
        async for _ in _watched(source, watch):
            pass


async def _watched(source: Source, watch: Watch) -> AsyncIterator[Snapshot]:
    """The snapshots of a source; tells on stderr when servers begin and cease to fail."""
    errors: dict[str, str] = {}
    has_answer = False
    async for snapshot in source.snapshots():
        if snapshot.error and watch.refreshes == 1 and len(source.servers) == 1:
            yield snapshot
            raise LinkError(snapshot.error, url=snapshot.server, hint=snapshot.hint or None)
        if snapshot.error != errors.get(snapshot.server, ""):
            errors[snapshot.server] = snapshot.error
            note(snapshot.error or f"{snapshot.server} answers again")
        has_answer = has_answer or not snapshot.error
        yield snapshot
    for peer in source.missing:
        note(f"{peer.name or peer.server_id} of the cluster was not found: {peer.error}")
    if not has_answer:
        if watch.replay:
            hint = "a single reading has no rates: add --no-rates" if watch.with_rates else None
            raise NatsctlError(f"there is nothing to show in {watch.replay}", hint=hint)
        raise LinkError("no server could be read")


@contextlib.asynccontextmanager
async def _opened(watch: Watch) -> AsyncIterator[Source]:
    source = open_source(watch)
    try:
        yield source
    finally:
        await source.close()


@contextlib.asynccontextmanager
async def _opened_file(path: str) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """Give a function that writes text to a file, or to stdout, while the event loop goes on."""
    output = DataOutput()
    if path == "-":
        yield lambda text: output.write(text.encode())
        return
    with open(path, "w", encoding="utf-8") as file:  # noqa: ASYNC230  (a local file, opened once)

        def write(text: str) -> None:
            file.write(text)
            file.flush()

        yield lambda text: output.call(write, text)


class _Names:
    """Host names in place of addresses; what is not known in time is shown as the address."""

    def __init__(self) -> None:
        self._lookups = ReverseLookups()
        self._waited_for: set[str] = set()

    def host_of(self, ip: str) -> str:
        return self._lookups.name_of(ip) or ip

    async def wait_for(self, snapshot: Snapshot) -> None:
        """Give the names of new addresses a moment to be found."""
        new = {conn.ip for conn in snapshot.connz.connections} - self._waited_for if snapshot.connz else set()
        self._waited_for |= new
        deadline = time.monotonic() + _LOOKUP_S
        while time.monotonic() < deadline and not all([self._lookups.name_of(ip) for ip in new]):  # noqa: ASYNC110  (see below)
            await asyncio.sleep(_LOOKUP_STEP_S)  # the lookups run in threads, and tell nobody when they are done
