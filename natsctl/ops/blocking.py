"""Blocking calls off the event loop, in a thread that never keeps the process from ending.

The executor of asyncio is joined at exit: a read from an idle terminal, or a write to a pipe nobody reads, would hold
the process for ever. A daemon thread is left behind instead.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, ParamSpec, TypeVar

__all__ = ["BlockingThread"]

P = ParamSpec("P")
T = TypeVar("T")


class BlockingThread:
    """One daemon thread that runs calls in the order given, while the loop goes on."""

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in the thread and return, or raise, what it does.

        A caller that is cancelled stops waiting; a function that has begun cannot be stopped.
        """
        outcome: Future[T] = Future()
        self._calls.put((outcome, partial(function, *args, **kwargs)))
        return await asyncio.wrap_future(outcome)

    def _run(self) -> None:
        while True:
            outcome, function = self._calls.get()
            if outcome.set_running_or_notify_cancel():
                try:
                    outcome.set_result(function())
                except BaseException as error:  # whatever it is, it belongs to the caller
                    outcome.set_exception(error)
