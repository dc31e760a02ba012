"""``natsctl reply``: answer requests."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from natsctl.cli.connect_options import duration, takes_settings
from natsctl.cli.messages import parse_header_options
from natsctl.cli.output import DataOutput, Signals, note, run
from natsctl.cli.sinks import Form, write_messages
from natsctl.errors import UsageError
from natsctl.ops.connection import Connection, connect
from natsctl.ops.message import Message
from natsctl.ops.receive import receiving
from natsctl.ops.reply import Answer, Responder, serve_requests
from natsctl.ops.settings import Settings

__all__ = ["app"]

app = typer.Typer(add_completion=False)

DEFAULT_QUEUE = "NATS-RPLY-22"
"""The queue group of the ``nats`` CLI, so that responders of both share the requests."""


@app.command("reply")
@takes_settings
def reply(
    settings: Settings,
    subject: Annotated[str, typer.Argument(help="Subject to answer on; may have wildcards.")],
    body: Annotated[str | None, typer.Argument(help="What to answer.", show_default=False)] = None,
    echo: Annotated[bool, typer.Option("--echo", help="Answer with the request's own body and headers.")] = False,
    command: Annotated[
        str | None, typer.Option("--command", help="Answer with what this command prints.", metavar="COMMAND")
    ] = None,
    command_timeout_s: Annotated[
        float,
        typer.Option("--command-timeout", help="Longest run of the command.", parser=duration, metavar="DURATION"),
    ] = "30s",  # type: ignore[assignment]  # Typer runs the parser over the default, too
    concurrency: Annotated[
        int, typer.Option("--concurrency", help="Requests worked on at the same time.", min=1, metavar="N")
    ] = 8,
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", help="Header; may be repeated.", metavar="NAME:VALUE")
    ] = None,
    queue: Annotated[
        str, typer.Option("--queue", help="Queue group to share the requests with.", metavar="NAME")
    ] = DEFAULT_QUEUE,
    count: Annotated[int, typer.Option("--count", help="Stop after so many requests.", min=0, metavar="N")] = 0,
    max_sleep_s: Annotated[
        float,
        typer.Option("--sleep", help="Wait a random time up to this first.", parser=duration, metavar="DURATION"),
    ] = "0s",  # type: ignore[assignment]  # the same
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Do not show the requests.")] = False,
) -> None:
    """Answer requests with a fixed body, with their own content or with the output of a command.

    The command is started without a shell. It gets the request's body on stdin and NATS_REQUEST_SUBJECT,
    NATS_REQUEST_REPLY, NATS_REQUEST_BODY (if it is text) and NATS_REQUEST_HEADER_<NAME> in its environment; in its
    arguments {{0}}, {{1}}… are the tokens of the subject and {{Request}} is the body. If it fails, the answer is
    empty and has the headers Nats-Service-Error and Nats-Service-Error-Code; its output goes to stderr.

    At Ctrl-C requests at hand are still answered.
    """
    if sum((body is not None, echo, command is not None)) != 1:
        raise UsageError("answer with what? give a body, --echo or --command")
    if header and body is None:
        raise UsageError("--header goes with a body")
    headers = parse_header_options(header)
    show = write_messages(DataOutput(), Form())

    async def answer(signals: Signals) -> None:
        taken = 0

        async def on_request(request: Message) -> None:
            nonlocal taken
            taken += 1
            if not quiet:
                await show(taken, [request])

        async with (
            connect(settings, reconnect=True, notice=note) as connection,
            receiving(connection, [subject], queue=queue, max_msgs=count) as receiver,
        ):
            signals.drain_with(receiver.drain)
            note(f'Answering on "{subject}" in queue group {queue}')
            await serve_requests(
                connection,
                receiver,
                _responder(connection, body, headers, command, command_timeout_s),
                concurrency=concurrency,
                max_sleep_s=max_sleep_s,
                on_request=on_request,
                notice=note,
            )
            if receiver.dropped:
                note(f"{receiver.dropped} requests were dropped: too many waited")

    run(answer)


def _responder(
    connection: Connection, body: str | None, headers: dict[str, list[str]], command: str | None, timeout_s: float
) -> Responder:
    if command is not None:
        from natsctl.ops.command import CommandResponder

        return CommandResponder(
            command, timeout_s=timeout_s, max_output_bytes=connection.max_payload, errors=_write_stderr
        )

    async def respond(request: Message) -> Answer:
        if body is None:
            return Answer(request.body, request.headers)
        return Answer(body.encode(errors="surrogateescape"), headers)

    return respond


def _write_stderr(output: bytes) -> None:
    sys.stderr.buffer.write(output)
    sys.stderr.buffer.flush()
