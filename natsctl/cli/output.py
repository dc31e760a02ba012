"""Where a command's words go: data to stdout, everything else to stderr; and how a command ends on a signal."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import typer

from natsctl.ops.blocking import BlockingThread

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["DataOutput", "Signals", "note", "printable", "run", "show_table"]

_SIGNAL_EXIT = 128
"""A shell reports 128 + number for a program that a signal ended: 130 for Ctrl-C, 143 for SIGTERM."""
_DRAIN_S = 5.0
"""How long a command may take to finish what it has begun."""
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}
_STDOUT = 1


def note(text: str) -> None:
    """Tell the user something that is no data."""
    print(text, file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """Replace control characters, with which a message could command the terminal."""
    return text.translate(_CONTROLS)


def show_table(table: Table) -> None:
    """Write a Rich table to stdout: as wide as the terminal, or as its content where there is none."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 10_000, highlight=False, emoji=False, markup=False)
    with console.capture() as captured:
        console.print(table)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()), flush=True)


class DataOutput:
    """Writes data to stdout while the event loop goes on, however slow the reader is.

    A reader that has gone raises BrokenPipeError, which ends the command with exit code 141.
    """

    def __init__(self) -> None:
        self.is_terminal = sys.stdout.isatty()
        self._thread = BlockingThread("natsctl-output")

    async def write(self, data: bytes) -> None:
        """Write all of the data; done when the system has taken it."""
        if data:
            await self._thread.call(_write_all, data)

    async def call(self, function: Callable[..., None], *args: object) -> None:
        """Run another blocking kind of output, in turn with what is written."""
        await self._thread.call(function, *args)


def _write_all(data: bytes) -> None:
    # Not sys.stdout: the interpreter would wait at its end for a thread that holds the stream's lock.
    view = memoryview(data)
    while view:
        view = view[os.write(_STDOUT, view) :]


class Signals:
    """SIGINT and SIGTERM while a command runs: the first ends it, in its own way if it has one.

    Attributes:
        received: Number of the signal that came first, or None.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._drain: Callable[[], Awaitable[None]] | None = None
        self._draining: asyncio.Future[None] | None = None

    def drain_with(self, drain: Callable[[], Awaitable[None]]) -> None:
        """Let the first signal call this, and give the command a few seconds to finish; a second one ends it."""
        self._drain = drain

    def listen(self, task: asyncio.Task[None]) -> None:
        """Have signals end a task of the running loop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's background job
                loop.add_signal_handler(number, self._end, number, task)

    def _end(self, number: int, task: asyncio.Task[None]) -> None:
        if self.received is None and self._drain is not None:
            self._draining = asyncio.ensure_future(self._drain())
            asyncio.get_running_loop().call_later(_DRAIN_S, task.cancel)
        else:
            task.cancel()
        self.received = self.received or number


def run(work: Callable[[Signals], Coroutine[Any, Any, None]]) -> None:
    """Run a command's coroutine to its end; signals end it early, without a trace.

    Raises:
        typer.Exit: A signal ended it.
    """
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of how nats-py ends a TLS connection
    signals = Signals()

    async def main() -> None:
        task = asyncio.ensure_future(work(signals))
        signals.listen(task)
        try:
            await task
        finally:
            task.cancel()

    try:
        asyncio.run(main())
    except asyncio.CancelledError:
        if signals.received is None:
            raise
    if signals.received is not None:
        raise typer.Exit(_SIGNAL_EXIT + signals.received)
