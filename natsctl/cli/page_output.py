"""What ``varz``, ``connz`` and the other plain readings share: read a page, show it as a table or as it came, again."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Generic, TypeVar

import typer

from natsctl.cli.monitoring_options import seconds
from natsctl.cli.output import DataOutput, note, printable, run
from natsctl.errors import LinkError
from natsctl.monitoring.documents import Document
from natsctl.monitoring.reader import Param
from natsctl.ops.pages import Page, Pages, Ports

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

__all__ = ["AsJson", "PageOutput", "Subs", "Watch"]

D = TypeVar("D", bound=Document)

_NATURAL_WIDTH = 10_000

AsJson = Annotated[bool, typer.Option("--json", help="Write the document as the server sent it.")]
"""The option of all plain readings that skips the table."""
Subs = Annotated[bool, typer.Option("-u", "--subs", help="List the subjects of each connection.")]
"""The option of the readings of connections that lists what they are subscribed to."""
Watch = Annotated[
    float | None,
    typer.Option(
        "--watch",
        help="Read again every so many seconds (default 1).",
        metavar="[SECS]",
        parser=lambda text: seconds(text or "1"),
    ),
]
"""The option of all plain readings that goes on reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOutput(Generic[D]):
    """A page to read, and how it is shown.

    Attributes:
        name: The page, as ``varz``.
        kind: The document it holds.
        ports: Where to read it.
        tables: Makes what is shown of a document.
        as_json: Write the documents as they came instead, one after another.
        every_s: Read again after so many seconds, until a signal; None reads once.
        verdict: Looks at what was read, and raises what the command is to end with.
    """

    name: str
    kind: type[D]
    ports: Ports
    tables: Callable[[D], list[RenderableType]]
    as_json: bool = False
    every_s: float | None = None
    verdict: Callable[[list[Page[D]]], None] = lambda pages: None

    def show(self, params: Mapping[str, Param] | None = None) -> None:
        """Read and show the page.

        Raises:
            NatsctlError: No server could be read, or the verdict.
        """
        run(lambda _signals: self._run(params or {}))

    async def _run(self, params: Mapping[str, Param]) -> None:
        async with Pages(self.ports) as pages:
            if self.ports.cluster:
                for peer in await pages.join_cluster():
                    note(f"{peer.name or peer.server_id} of the cluster was not found: {peer.error}")
            if self.every_s is None:
                await self._once(pages, params)
            else:
                await self._again(pages, params, self.every_s)

    async def _once(self, pages: Pages, params: Mapping[str, Param]) -> None:
        results = await pages.read(self.name, self.kind, params)
        if len(results) == 1 and results[0].error:
            raise results[0].error
        await self._write(results)
        if all(page.error for page in results):
            raise LinkError("no server could be read")
        self.verdict(results)

    async def _again(self, pages: Pages, params: Mapping[str, Param], every_s: float) -> None:
        due = time.monotonic()
        is_drawn = sys.stdout.isatty() and not self.as_json
        with _screen() if is_drawn else nullcontext() as screen:
            while True:
                results = await pages.read(self.name, self.kind, params)
                if screen:
                    self._draw(screen, results)
                else:
                    await self._write(results)
                due = max(due + every_s, time.monotonic())
                await asyncio.sleep(due - time.monotonic())

    async def _write(self, results: list[Page[D]]) -> None:
        output = DataOutput()
        for page in results:
            if page.error:
                note(str(page.error))
            elif self.as_json:
                await output.write(page.body.rstrip() + b"\n")
            else:
                print(self._text(page, is_named=len(results) > 1), flush=True)

    def _draw(self, screen: Live, results: list[Page[D]]) -> None:
        from rich.text import Text

        shown = [self._text(page, is_named=len(results) > 1) for page in results]
        screen.update(Text.from_ansi("\n".join(shown), no_wrap=True, overflow="ellipsis"), refresh=True)

    def _text(self, page: Page[D], *, is_named: bool) -> str:
        """The tables of one server as wide as they are: a narrow terminal wraps lines, which is better than cells."""
        console = _console(width=_NATURAL_WIDTH)
        with console.capture() as captured:
            if is_named:
                console.print(f"{page.server}:", style="bold")
            if page.error:
                console.print(printable(str(page.error)), style="red")
            for table in self.tables(page.document) if page.document else ():
                console.print(table)
        return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _console(width: int | None = None) -> Console:
    from rich.console import Console

    return Console(width=width, markup=False, highlight=False, emoji=False)


def _screen() -> Live:
    from rich.live import Live

    return Live(console=_console(), screen=True, auto_refresh=False, vertical_overflow="crop")
