"""Where received messages go: to stdout in one of several forms, into files, or into a table."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from natsctl.cli.messages import human_message
from natsctl.cli.output import DataOutput, printable, show_table
from natsctl.errors import UsageError
from natsctl.ops.message import Message
from natsctl.ops.tally import Tally
from natsctl.units import format_bytes, format_duration

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Form", "Sink", "dump_files", "report_subjects", "write_messages"]

Sink = Callable[[int, list[Message]], Awaitable[None]]
"""Takes messages in order of arrival, and the number of the first of them, from 1."""

_REDRAW_S = 1.0


@dataclass(frozen=True, slots=True)
class Form:
    """How a message is written."""

    raw: bool = False
    """Bodies only, each with a line end."""
    as_json: bool = False
    headers_only: bool = False
    timestamps: bool = False
    delta: bool = False
    """Time since the message before."""


def write_messages(output: DataOutput, form: Form) -> Sink:
    """Make a sink that writes messages to stdout."""
    previous_mono = time.monotonic()

    def human(number: int, message: Message) -> bytes:
        nonlocal previous_mono
        mark = ""
        if form.timestamps:
            mark = f" @ {datetime.fromtimestamp(message.received_at):%b %d %H:%M:%S.%f}"
        elif form.delta:
            mark = f" @ {format_duration(message.received_mono - previous_mono)}"
            previous_mono = message.received_mono
        reply = f' with reply "{message.reply}"' if message.reply else ""
        first_line = f'[#{number}]{mark} Received on "{message.subject}"{reply}'
        return human_message(message, first_line, with_body=not form.headers_only, on_terminal=output.is_terminal)

    if form.as_json:
        show = _json_line(with_body=not form.headers_only)
    elif form.raw:
        show = _raw
    else:
        show = human

    async def take(first: int, messages: list[Message]) -> None:
        await output.write(b"".join(show(number, message) for number, message in enumerate(messages, first)))

    return take


def dump_files(output: DataOutput, folder: Path) -> Sink:
    """Make a sink that writes each message to ``<number>.json`` in a folder, readable for its user only.

    Raises:
        UsageError: There is something in the folder already.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty; --dump wants a folder of its own")
    as_json = _json_line(with_body=True)

    def write(name: str, content: bytes) -> None:
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)

    async def take(first: int, messages: list[Message]) -> None:
        for number, message in enumerate(messages, first):
            await output.call(write, f"{number:08}.json", as_json(number, message))

    return take


@contextlib.asynccontextmanager
async def report_subjects(output: DataOutput, top: int, *, as_json: bool) -> AsyncIterator[Sink]:
    """Make a sink that counts by subject; a terminal sees the table every second, a pipe once at the end."""
    tally = Tally()

    async def take(_first: int, messages: list[Message]) -> None:
        for message in messages:
            tally.add(message)

    if as_json:
        try:
            yield take
        finally:
            print(_report_json(tally, top))
    elif output.is_terminal:
        async with _redrawn(lambda: _report_table(tally, top)):
            yield take
    else:
        try:
            yield take
        finally:
            show_table(_report_table(tally, top))


@contextlib.asynccontextmanager
async def _redrawn(draw: Callable[[], Table]) -> AsyncIterator[None]:
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(markup=False), auto_refresh=False) as live:

        async def redraw() -> None:
            while True:
                live.update(draw(), refresh=True)
                await asyncio.sleep(_REDRAW_S)

        drawing = asyncio.create_task(redraw())
        try:
            yield
        finally:
            drawing.cancel()
            live.update(draw(), refresh=True)


def _report_table(tally: Tally, top: int) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_footer=True)
    table.add_column("Subject", footer=f"{len(tally)} subjects", overflow="fold")
    table.add_column("Messages", footer=f"{tally.total.messages:,}", justify="right")
    table.add_column("Bytes", footer=format_bytes(tally.total.bytes), justify="right")
    rows = [(printable(subject), count) for subject, count in tally.top(top)]
    if tally.other.messages:
        rows.append(("(further subjects)", tally.other))
    for subject, count in rows:
        table.add_row(Text(subject), f"{count.messages:,}", format_bytes(count.bytes))
    return table


def _report_json(tally: Tally, top: int) -> str:
    import json
    from dataclasses import asdict

    subjects = [{"subject": subject, **asdict(count)} for subject, count in tally.top(top)]
    return json.dumps({"subjects": subjects, "other": asdict(tally.other), "total": asdict(tally.total)})


def _json_line(*, with_body: bool) -> Callable[[int, Message], bytes]:
    from natsctl.ops.ndjson import to_record, write_record

    return lambda number, message: write_record(to_record(message, number, with_body=with_body))


def _raw(_number: int, message: Message) -> bytes:
    return message.body + b"\n"
