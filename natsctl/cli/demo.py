"""``natsctl demo``: see the broker and the messaging commands at work."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from natsctl.cli.output import run
from natsctl.errors import NatsctlError
from natsctl.ops.demo import Asked, Gathered, Labelled, Scene, Shared, Spread, Unanswered, take_tour
from natsctl.ops.settings import Settings
from natsctl.units import format_duration

if TYPE_CHECKING:
    from rich.console import RenderableType

    from natsctl.broker import Broker

__all__ = ["app"]

app = typer.Typer(add_completion=False)

_WIDTH = 80
_BAR_WIDTH = 60
"""Of a member that gets every message."""

_NEXT = (
    ("natsctl server", "a broker, where all commands look for one"),
    ("natsctl sub 'orders.>'", "shows what is published below orders"),
    ("natsctl pub orders.eu.new tea", "publishes a message"),
    ("natsctl reply price 4.20", "answers requests"),
    ("natsctl request price tea", "asks"),
    ("natsctl --help", "lists all commands, sub --help all of one"),
)
"""What to type, and what it does."""


@app.command("demo")
def demo(as_json: Annotated[bool, typer.Option("--json", help="Write one JSON document.")] = False) -> None:
    """See the broker and the messaging commands at work.

    Starts a broker inside this process, on a free port of this machine, plays six scenes on it and says what
    happened: publish and subscribe with wildcards, headers, a queue group, request and reply, a request without
    responders, and a gather. Every figure is measured in this run, and nothing is left behind.

    Exit codes: 1 a scene failed; the message says which.
    """
    page = _Document() if as_json else _Page()
    run(lambda _signals: _play(page))


async def _play(page: _Document | _Page) -> None:
    from natsctl.broker import Broker

    started_mono = time.monotonic()
    broker = Broker()
    try:
        await broker.start()
    except NatsctlError as error:
        raise NatsctlError(f"the broker cannot start: {error}", hint=error.hint) from error
    try:
        page.begin(broker)
        async for name, scene in take_tour(Settings(servers=(broker.url,))):
            page.show(name, scene)
    finally:
        await broker.stop()
    page.end(broker, time.monotonic() - started_mono)


class _Document:
    """The tour as one JSON document."""

    def __init__(self) -> None:
        self._document: dict[str, Any] = {}
        self._scenes: list[dict[str, Any]] = []

    def begin(self, broker: Broker) -> None:
        self._document = {"url": broker.url, "engine": broker.engine.name, "scenes": self._scenes}

    def show(self, name: str, scene: Scene) -> None:
        self._scenes.append({"scene": name, **asdict(scene)})

    def end(self, broker: Broker, duration_s: float) -> None:
        print(json.dumps(self._document | {"broker": _traffic(broker), "duration_s": duration_s}, indent=2))


class _Page:
    """The tour as a page to read: framed and coloured on a terminal, plain text anywhere else."""

    def __init__(self) -> None:
        from rich.console import Console

        self._is_terminal = sys.stdout.isatty()
        self._console = Console(highlight=False, markup=False, emoji=False)
        self._console.width = min(self._console.width, _WIDTH) if self._is_terminal else _WIDTH
        self._number = 0

    def begin(self, broker: Broker) -> None:
        self._print(
            f"Six scenes on a broker of their own, at {broker.url} ({broker.engine.name} engine). "
            "The line with $ below each does the same by hand, once a server runs.\n"
        )

    def show(self, name: str, scene: Scene) -> None:
        self._number += 1
        story, rows, command = _STORIES[type(scene)](scene)
        self._print_section(f"{self._number}. {name.capitalize()}", story, rows, command)

    def end(self, broker: Broker, duration_s: float) -> None:
        traffic = _traffic(broker)
        self._print_section("Now you", "Each line in a terminal of its own, from the top:", _NEXT, "")
        self._print(
            f"All of this took {_time(duration_s)}: {traffic['connections']} connections, "
            f"{traffic['in_msgs']} messages into the broker, {traffic['out_msgs']} out of it. It is gone again."
        )

    def _print_section(self, title: str, story: str, rows: Sequence[tuple[str, ...]], command: str) -> None:
        from rich.console import Group
        from rich.padding import Padding
        from rich.panel import Panel
        from rich.table import Table
        from rich.text import Text

        parts: list[RenderableType] = [Text(story)]
        if rows:
            table = Table.grid(padding=(0, 3))
            table.add_column(style="cyan")
            for row in rows:
                table.add_row(*map(Text, row))
            parts.append(Padding(table, (0, 2)))
        if command:
            parts.append(Text(f"$ {command}", style="bold green"))
        if self._is_terminal:
            self._print(Panel(Group(*parts), title=Text(title, style="bold"), title_align="left", border_style="dim"))
        else:
            self._print(Group(Text(title), Padding(Group(*parts), (0, 0, 1, 3))))

    def _print(self, shown: Any) -> None:
        with self._console.capture() as captured:
            self._console.print(shown)
        text = "\n".join(line.rstrip() for line in captured.get().split("\n"))
        if self._console.options.ascii_only:
            text = text.replace("µ", "u").replace("█", "#")
        print(text, end="", flush=True)


_Story = tuple[str, Sequence[tuple[str, ...]], str]
"""What happened, the rows of a table that shows it, and the command that does the same by hand."""


def _tell_spread(scene: Spread) -> _Story:
    story = (
        f"Messages go to a subject, not to a receiver: {len(scene.published)} were published, and each of "
        f"{len(scene.received)} subscriptions got those it matches, all within {_time(scene.duration_s)}. "
        "* stands for one token, > for all that follow."
    )
    rows = [(subscription, ", ".join(subjects)) for subscription, subjects in scene.received.items()]
    return story, rows, "natsctl sub 'orders.*.new'"


def _tell_labelled(scene: Labelled) -> _Story:
    story = f'What is said about a message travels beside its body. With "{scene.body}" on {scene.subject} came:'
    rows = [(f"{name}:", ", ".join(values)) for name, values in scene.headers.items()]
    return story, rows, f"natsctl pub {scene.subject} -H Priority:high '{scene.body}'"


def _tell_shared(scene: Shared) -> _Story:
    story = (
        f'{len(scene.received)} members of the queue group "{scene.queue}" shared {scene.published} messages in '
        f"{_time(scene.duration_s)}. Each message went to one member, chosen at random; none was lost or "
        "came twice. A service grows by starting it once more."
    )
    return story, list(_bars(scene)), f"natsctl sub --queue {scene.queue} {scene.subject}"


def _bars(scene: Shared) -> Iterator[tuple[str, ...]]:
    for number, count in enumerate(scene.received, 1):
        yield f"member {number}", f"{'█' * round(_BAR_WIDTH * count / scene.published)} {count}"


def _time(seconds: float) -> str:
    """Write a time with three digits; more would say nothing to a reader."""
    return format_duration(float(f"{seconds:.3g}"))


def _tell_asked(scene: Asked) -> _Story:
    story = (
        f'"{scene.request}" was asked on {scene.subject}. The question carries a subject for its answer, an inbox, so '
        f"neither side knows where the other is. The answer came after {_time(scene.answer.rtt_s)}:"
    )
    return story, [(scene.answer.body,)], f"natsctl request {scene.subject} {scene.request}"


def _tell_unanswered(scene: Unanswered) -> _Story:
    story = (
        f"Nobody listens on {scene.subject}. The broker knows, and said so after {_time(scene.wait_s)}; "
        f"waiting for an answer would have taken {_time(scene.timeout_s)}."
    )
    return story, [], f"natsctl request {scene.subject} tea"


def _tell_gathered(scene: Gathered) -> _Story:
    story = f"One question on {scene.subject}, and everybody who listens answers, in the order of these times:"
    rows = [(answer.body, _time(answer.rtt_s)) for answer in scene.answers]
    return story, rows, f"natsctl request --gather --expect {len(rows)} {scene.subject} {scene.request}"


_STORIES: dict[type[Any], Callable[[Any], _Story]] = {
    Spread: _tell_spread,
    Labelled: _tell_labelled,
    Shared: _tell_shared,
    Asked: _tell_asked,
    Unanswered: _tell_unanswered,
    Gathered: _tell_gathered,
}


def _traffic(broker: Broker) -> dict[str, int]:
    """Sum up the broker's connections, which are all closed by now."""
    closed = broker.registry.closed
    return {
        "connections": broker.registry.total,
        "in_msgs": sum(connection.in_msgs for connection in closed),
        "out_msgs": sum(connection.out_msgs for connection in closed),
    }
