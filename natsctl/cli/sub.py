"""``natsctl sub``: receive messages."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

from natsctl.cli.connect_options import duration, takes_settings
from natsctl.cli.output import DataOutput, Signals, note, run
from natsctl.cli.sinks import Form, Sink, dump_files, report_subjects, write_messages
from natsctl.errors import Shortfall, UsageError
from natsctl.ops.connection import connect
from natsctl.ops.receive import Receiver, receiving
from natsctl.ops.settings import Settings

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command("sub")
@takes_settings
def sub(
    settings: Settings,
    subjects: Annotated[list[str], typer.Argument(help="Subjects; * stands for one token, > for the rest.")],
    queue: Annotated[str, typer.Option("--queue", help="Queue group to share the messages with.", metavar="NAME")] = "",
    count: Annotated[int, typer.Option("--count", help="Stop after so many messages.", min=0, metavar="N")] = 0,
    wait_s: Annotated[
        float | None,
        typer.Option("--wait", help="Stop after so long without a message.", parser=duration, metavar="DURATION"),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore-subject", "-I", help="Leave out these subjects.", metavar="SUBJECT"),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", "-r", help="Show bodies only.")] = False,
    headers_only: Annotated[bool, typer.Option("--headers-only", help="Show no bodies.")] = False,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="Show when each message came.")] = False,
    delta: Annotated[bool, typer.Option("--delta", "-d", help="Show the time since the message before.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object a line.")] = False,
    dump: Annotated[
        Path | None, typer.Option("--dump", help="Write each message to a file in this folder.", metavar="DIR")
    ] = None,
    report: Annotated[
        bool, typer.Option("--report-subjects", help="Show messages and bytes by subject instead.")
    ] = False,
    top: Annotated[int, typer.Option("--report-top", help="Subjects in the report.", min=1, metavar="N")] = 10,
) -> None:
    """Receive messages.

    What --json writes, and the files of --dump, 'natsctl pub --ndjson' publishes again.

    Ends at Ctrl-C, after --count messages or a silence of --wait. When output is so slow that messages had to be
    dropped, it says so and ends with exit code 9.
    """
    if sum((raw, as_json and not report, dump is not None, report)) > 1:
        raise UsageError("--raw, --json, --dump and --report-subjects exclude each other")
    if (timestamps or delta) and (raw or as_json or report or dump is not None):
        raise UsageError("--timestamps and --delta belong to the output for people")
    if headers_only and (raw or report or dump is not None):
        raise UsageError("--headers-only excludes --raw, --dump and --report-subjects")
    if timestamps and delta:
        raise UsageError("--timestamps and --delta exclude each other")
    form = Form(raw, as_json, headers_only, timestamps, delta)
    ignored = [pattern for option in ignore or () for pattern in option.split(",")]
    output = DataOutput()

    async def receive(signals: Signals) -> None:
        async with AsyncExitStack() as stack:
            connection = await stack.enter_async_context(connect(settings, reconnect=True, notice=note))
            receiver = await stack.enter_async_context(
                receiving(connection, subjects, queue=queue, max_msgs=count, ignore=ignored)
            )
            signals.drain_with(receiver.drain)
            note(f"Subscribed to {', '.join(subjects)}")
            if report:
                sink = await stack.enter_async_context(report_subjects(output, top, as_json=as_json))
            else:
                sink = write_messages(output, form) if dump is None else dump_files(output, dump)
            await _deliver(receiver, sink, wait_s)

    run(receive)


async def _deliver(receiver: Receiver, sink: Sink, idle_s: float | None) -> None:
    delivered = 0
    async for batch in receiver.batches(idle_s=idle_s):
        await sink(delivered + 1, batch)
        delivered += len(batch)
    if receiver.dropped:
        arrived = delivered + receiver.dropped
        text = f"{receiver.dropped} of {arrived} messages were dropped: output was too slow"
        raise Shortfall(text, expected=arrived, received=delivered)
