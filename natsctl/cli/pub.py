"""``natsctl pub``: publish messages."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from natsctl.cli.connect_options import duration, takes_settings
from natsctl.cli.messages import open_input, parse_header_options, read_body
from natsctl.cli.output import note, run
from natsctl.errors import UsageError
from natsctl.ops.connection import connect
from natsctl.ops.lines import read_lines
from natsctl.ops.message import Headers, Message
from natsctl.ops.publish import Pace, Published, publish_all
from natsctl.ops.settings import Settings
from natsctl.ops.templates import Template

__all__ = ["app"]

app = typer.Typer(add_completion=False)


class SendOn(StrEnum):
    """What makes a message of stdin."""

    newline = "newline"
    eof = "eof"


@app.command("pub")
@takes_settings
def pub(
    settings: Settings,
    subject: Annotated[str | None, typer.Argument(help="Subject to publish to.", show_default=False)] = None,
    body: Annotated[
        str | None,
        typer.Argument(help="Text, @FILE, or - for stdin; without it stdin, if piped.", show_default=False),
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", help="Header; may be repeated.", metavar="NAME:VALUE")
    ] = None,
    reply: Annotated[str, typer.Option("--reply", help="Reply subject.", metavar="SUBJECT")] = "",
    count: Annotated[int, typer.Option("--count", help="How often to publish.", min=1, metavar="N")] = 1,
    rate: Annotated[
        float | None, typer.Option("--rate", help="Messages per second, evenly spaced.", min=0.001, metavar="N")
    ] = None,
    sleep_s: Annotated[
        float | None,
        typer.Option("--sleep", help="Time between messages.", parser=duration, metavar="DURATION"),
    ] = None,
    templates: Annotated[
        bool, typer.Option("--templates", help="Fill {{Count}}, {{Unix}} and the like in subject, headers and body.")
    ] = False,
    send_on: Annotated[
        SendOn, typer.Option("--send-on", help="Make a message of each line of stdin, or of all of it.")
    ] = SendOn.eof,
    ndjson: Annotated[
        str | None,
        typer.Option(
            "--ndjson", help="Publish the messages in FILE, a JSON object a line; - is stdin.", metavar="FILE"
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing when all went well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write a summary as JSON to stdout.")] = False,
) -> None:
    """Publish messages.

    Subject and body are sent as they are; with --templates, {{Count}}, {{TimeStamp}}, {{Unix}}, {{UnixNano}},
    {{Time}}, {{ID}} and {{Random MIN MAX}} are filled in anew for every message.

    The command ends well only when the server has taken everything.
    """
    if rate and sleep_s is not None:
        raise UsageError("--rate and --sleep both set the pace; give one of them")
    if ndjson is None and subject is None:
        raise UsageError("which subject? write 'natsctl pub SUBJECT [BODY]'")
    if ndjson is not None and (subject is not None or header or reply or templates or count > 1):
        raise UsageError("with --ndjson subjects, replies and headers come from the input, and each line is sent once")
    if send_on is SendOn.newline and body not in (None, "-"):
        raise UsageError("--send-on newline reads stdin; leave out the body")
    headers = parse_header_options(header)
    interval_s = 1 / rate if rate else sleep_s or 0.0

    async def publish() -> None:
        async with connect(settings) as connection:
            if ndjson is not None:
                source = _from_ndjson(ndjson, connection.max_payload)
            else:
                draft = Message(subject or "", reply=reply, headers=headers)
                bodies = _bodies(body, send_on, connection.max_payload)
                source = _drafted(bodies, draft, count, templates)
            done = await publish_all(connection, source, pace=Pace(interval_s), on_progress=_show_progress)
        _summarize(done, subject, quiet=quiet, as_json=as_json)

    run(lambda _signals: publish())


async def _bodies(body: str | None, send_on: SendOn, max_bytes: int) -> AsyncIterator[bytes]:
    if send_on is SendOn.newline:
        async for _, line in read_lines(sys.stdin.fileno(), max_bytes):
            yield line
    else:
        yield await read_body(body, max_bytes)


async def _drafted(bodies: AsyncIterator[bytes], draft: Message, count: int, templates: bool) -> AsyncIterator[Message]:
    """Make ``count`` messages of each body, numbered through."""
    number = 0
    async for body in bodies:
        template = _MessageTemplate(draft, body) if templates else None
        message = Message(draft.subject, body, draft.reply, draft.headers)
        for _ in range(count):
            number += 1
            yield template.render(number) if template else message


class _MessageTemplate:
    """A message whose subject, headers and body are templates; a body that is no text is left alone."""

    def __init__(self, draft: Message, body: bytes) -> None:
        self._reply = draft.reply
        self._subject = Template(draft.subject)
        self._body = Template(body.decode(errors="surrogateescape"))
        self._headers = {name: [Template(value) for value in values] for name, values in draft.headers.items()}

    def render(self, number: int) -> Message:
        headers: Headers = {name: [value.render(number) for value in values] for name, values in self._headers.items()}
        body = self._body.render(number).encode(errors="surrogateescape")
        return Message(self._subject.render(number), body, self._reply, headers)


async def _from_ndjson(file: str, max_payload: int) -> AsyncIterator[Message]:
    from natsctl.ops.ndjson import read_record

    with open_input(file) as stream:
        # Base64 and the names around the body take room: a line may be longer than the message it holds.
        async for number, line in read_lines(stream.fileno(), 2 * max_payload + 64 * 1024):
            if line.strip():
                yield read_record(line, number)


def _show_progress(done: Published) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done.messages:,} messages, {done.messages / done.duration_s:,.0f} per second\x1b[K")
        sys.stderr.flush()


def _summarize(done: Published, subject: str | None, *, quiet: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(done)))
    if quiet:
        return
    if sys.stderr.isatty() and done.duration_s > 1:
        sys.stderr.write("\r\x1b[K")
    if done.messages == 1 and subject is not None:
        note(f'Published {done.bytes} bytes to "{subject}"')
    else:
        note(f"Published {done.messages} messages, {done.bytes} bytes in {done.duration_s:.3f} s")
