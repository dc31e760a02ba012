"""Connecting to the servers that should be there and are not.

Source: nats-server ``route.go`` (solicitRoutes, connectToRoute, reConnectToRoute).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container
from typing import Protocol

from natsctl.broker.dialer import RETRY_DELAY_S, Address, Reports, dial, jitter
from natsctl.broker.logs import Logger
from natsctl.broker.routes.route import Origin
from natsctl.config import Options

__all__ = ["Caller", "CallerHost"]

_LONGEST_DELAY_S = 30.0
_DOUBLINGS = 10
_MAX_CALLS = 1024
"""At once of those that others tell of, as many as they like; who is configured is called in any case."""
_HEALING_ATTEMPTS = 120
"""To get a server back that only another one had told of: about an hour of them. It may be gone for good."""


class CallerHost(Protocol):
    """What calling needs of the broker."""

    options: Options
    log: Logger


class Caller:
    """Who is being called.

    Args:
        host: The broker.
        make: Gives the protocol of a new connection.
        is_there: Tells whether a server is connected by now, because it called us.
    """

    def __init__(
        self,
        host: CallerHost,
        make: Callable[[Origin], asyncio.BaseProtocol],
        is_there: Callable[[Origin], bool],
    ) -> None:
        self._host = host
        self._make = make
        self._is_there = is_there
        self._calls: dict[str, asyncio.Task[None]] = {}
        self.own: Container[tuple[str, int]] = ()
        """Our own addresses, which are not called."""

    def call(self, origin: Origin) -> None:
        """Connect to a server that never was connected, unless that is being tried already."""
        retries = max(self._host.options.cluster.connect_retries, 0)
        self._start(origin, None if origin.is_configured else retries + 1, 0.0, is_first=True)

    def call_again(self, origin: Origin) -> None:
        """Connect to a server whose route has ended, after a moment, lest two that call each other collide again."""
        delay_s = jitter() + (RETRY_DELAY_S if origin.is_configured else 0.0)
        self._start(origin, None if origin.is_configured else _HEALING_ATTEMPTS, delay_s, is_first=False)

    def forget(self, address: str) -> None:
        """Do not connect to a server any more."""
        if (task := self._calls.pop(address, None)) is not None:
            task.cancel()

    def stop(self) -> None:
        """Connect to nobody any more."""
        for task in self._calls.values():
            task.cancel()
        self._calls.clear()

    def _start(self, origin: Origin, max_attempts: int | None, delay_s: float, *, is_first: bool) -> None:
        address = origin.url.address
        if address not in self._calls and (origin.is_configured or len(self._calls) < _MAX_CALLS):
            task = asyncio.create_task(self._call(origin, max_attempts, delay_s, is_first=is_first))
            self._calls[address] = task
            task.add_done_callback(lambda task: self._end(address, task))

    def _succeed(self, origin: Origin) -> asyncio.BaseProtocol:
        # The route may be over, and have to be called again, before the task that called it goes on.
        self._calls.pop(origin.url.address, None)
        return self._make(origin)

    def _end(self, address: str, task: asyncio.Task[None]) -> None:
        if self._calls.get(address) is task:
            del self._calls[address]

    async def _call(self, origin: Origin, max_attempts: int | None, delay_s: float, *, is_first: bool) -> None:
        options, log = self._host.options, self._host.log
        is_patient = max_attempts == _HEALING_ATTEMPTS
        attempt = 0
        await asyncio.sleep(delay_s)
        while not self._is_there(origin):
            attempt += 1
            try:
                address = Address(origin.url.host, origin.url.port)
                await dial(address, lambda: self._succeed(origin), log=log, what="to route on", but=self.own)
                return
            except OSError as error:
                reports = Reports(options.connect_error_reports, options.reconnect_error_reports)
                text = f"Error trying to connect to route (attempt {attempt}): {error}"
                tell = log.error if reports.tells(attempt, is_first=is_first) and not is_patient else log.debug
                tell(text)
            if attempt == max_attempts:
                return
            is_growing = options.cluster.connect_backoff or is_patient
            await asyncio.sleep(_backoff_s(attempt) if is_growing else RETRY_DELAY_S)


def _backoff_s(attempt: int) -> float:
    return min(RETRY_DELAY_S * float(1 << min(attempt, _DOUBLINGS)), _LONGEST_DELAY_S)
