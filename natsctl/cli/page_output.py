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
from natsctl.cli.output import DataOutput, note, run, show_table
from natsctl.errors import LinkError
from natsctl.monitoring.documents import Document
from natsctl.monitoring.reader import Param
from natsctl.ops.pages import Page, Pages, Ports

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

__all__ = ["AsJson", "PageOutput", "Watch"]

D = TypeVar("D", bound=Document)

AsJson = Annotated[bool, typer.Option("--json", help="Write the document as the server sent it.")]
"""The option of all plain readings that skips the table."""
Watch = Annotated[
    float | None, typer.Option("--watch", help="Read again every so many seconds.", metavar="SECS", parser=seconds)
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
    tables: Callable[[D], list[Table]]
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
            elif page.document:
                if len(results) > 1:
                    print(f"{page.server}:")
                for table in self.tables(page.document):
                    show_table(table)

    def _draw(self, screen: Live, results: list[Page[D]]) -> None:
        from rich.console import Group, RenderableType
        from rich.text import Text

        shown: list[RenderableType] = []
        for page in results:
            if len(results) > 1:
                shown.append(Text(f"{page.server}:", style="bold"))
            if page.error:
                shown.append(Text(str(page.error), style="red"))
            elif page.document:
                shown += self.tables(page.document)
        screen.update(Group(*shown), refresh=True)


def _screen() -> Live:
    from rich.console import Console
    from rich.live import Live

    console = Console(markup=False, highlight=False, emoji=False)
    return Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop")
