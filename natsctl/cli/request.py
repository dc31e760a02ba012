"""``natsctl request``: ask, and show the replies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated

import typer

from natsctl.cli.connect_options import duration, takes_settings
from natsctl.cli.messages import human_message, parse_header_options, read_body
from natsctl.cli.output import DataOutput, note, printable, run, show_table
from natsctl.errors import RequestError, UsageError
from natsctl.ops.connection import connect
from natsctl.ops.reply import service_error
from natsctl.ops.request import Gathering, Reply, gather
from natsctl.ops.settings import DEFAULT_TIMEOUT_S, Settings
from natsctl.units import format_duration

__all__ = ["app"]

app = typer.Typer(add_completion=False)

DEFAULT_IDLE_S = 0.3
_PREVIEW_BYTES = 60
_IDLE_HELP = "With --gather: longest gap after a reply (default 300ms)."
_TOTAL_HELP = "With --gather: longest wait in all (default --timeout)."


@app.command("request")
@takes_settings
def request(
    settings: Settings,
    subject: Annotated[str, typer.Argument(help="Subject to ask on.")],
    body: Annotated[
        str | None,
        typer.Argument(help="Text, @FILE, or - for stdin; without it stdin, if piped.", show_default=False),
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", help="Header; may be repeated.", metavar="NAME:VALUE")
    ] = None,
    count: Annotated[int, typer.Option("--count", help="How often to ask.", min=1, metavar="N")] = 1,
    gather_all: Annotated[bool, typer.Option("--gather", help="Take all replies, not only the first.")] = False,
    idle_s: Annotated[
        float | None,
        typer.Option(
            "--idle",
            help="With --gather: longest gap after a reply (default 300ms).",
            parser=duration,
            metavar="DURATION",
        ),
    ] = None,
    total_s: Annotated[
        float | None,
        typer.Option(
            "--total",
            help="With --gather: longest wait in all (default --timeout).",
            parser=duration,
            metavar="DURATION",
        ),
    ] = None,
    expect: Annotated[
        int | None,
        typer.Option("--expect", help="With --gather: stop after N replies; fewer are a failure.", min=1, metavar="N"),
    ] = None,
    until_empty: Annotated[
        bool, typer.Option("--until-empty", help="With --gather: an empty reply says that there are no more.")
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", "-r", help="Show bodies only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object a reply.")] = False,
) -> None:
    """Send a request and show the replies.

    Without --gather the first reply is the answer; --timeout bounds the wait for it. With --gather replies are taken
    until nothing comes for --idle, or --total has passed.

    Exit codes: 7 nobody listens on the subject, 8 no reply in time, 9 fewer than --expect.
    """
    if not gather_all and (idle_s is not None or total_s is not None or expect is not None or until_empty):
        raise UsageError("--idle, --total, --expect and --until-empty need --gather")
    if raw and as_json:
        raise UsageError("--raw and --json exclude each other")
    headers = parse_header_options(header)
    timeout_s = settings.timeout_s or DEFAULT_TIMEOUT_S
    until = Gathering(total_s=timeout_s)
    if gather_all:
        idle = DEFAULT_IDLE_S if idle_s is None else idle_s
        until = Gathering(timeout_s if total_s is None else total_s, idle, expect or 0, until_empty)
    as_table = gather_all and not raw and not as_json
    show = _show_in_table if as_table else _writer(raw=raw, as_json=as_json)

    async def ask() -> None:
        async with connect(settings) as connection:
            content = await read_body(body, connection.max_payload)
            for _ in range(count):
                replies = gather(connection, subject, content, headers=headers, until=until)
                async with aclosing(replies):
                    await show(replies)

    run(lambda _signals: ask())


Show = Callable[[AsyncIterator[Reply]], Awaitable[None]]
"""Shows replies as they come."""


def _writer(*, raw: bool, as_json: bool) -> Show:
    output = DataOutput()

    async def show(replies: AsyncIterator[Reply]) -> None:
        number = 0
        async for reply in replies:
            number += 1
            await output.write(form(number, reply))
            note(f"Received with rtt {format_duration(reply.rtt_s)}")
            if error := service_error(reply.message):
                raise RequestError(f"the reply is an error, {error}")

    def form(number: int, reply: Reply) -> bytes:
        if raw:
            return reply.message.body + b"\n"
        if as_json:
            from natsctl.ops.ndjson import to_record, write_record

            return write_record(to_record(reply.message, number, rtt_s=reply.rtt_s))
        return human_message(reply.message, "", on_terminal=output.is_terminal)

    return show


async def _show_in_table(replies: AsyncIterator[Reply]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for title in ("#", "RTT", "Bytes"):
        table.add_column(title, justify="right")
    table.add_column("Reply", no_wrap=True)
    try:
        async for reply in replies:
            message = reply.message
            error = service_error(message)
            text = f"error {error}" if error else message.body[:_PREVIEW_BYTES].decode(errors="backslashreplace")
            row = (str(table.row_count + 1), format_duration(reply.rtt_s), str(len(message.body)))
            table.add_row(*row, Text(printable(text).replace("\n", " ")))
    finally:
        if table.row_count:
            show_table(table)
