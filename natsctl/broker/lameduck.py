"""Lame duck mode: a broker goes away slowly, so that its clients move to others a few at a time.

Source: nats-server ``server.go`` (lameDuckMode, sendLDMToClients).
"""

from __future__ import annotations

import asyncio
from random import uniform
from typing import Protocol

from natsctl.broker.client_events import ClientEvents
from natsctl.broker.logs import Logger
from natsctl.broker.registry import Registry
from natsctl.broker.routes import Mesh
from natsctl.config import Options
from natsctl.errors import ClosedReason

__all__ = ["LameDuck", "LameDuckHost"]

_LONGEST_INTERVAL_S = 1.0
_SHORTEST_INTERVAL_S = 0.001
"""Timers are no finer; where more must go in that time, several go at once."""


class LameDuckHost(Protocol):
    """What lame duck mode needs of the broker."""

    options: Options
    log: Logger
    registry: Registry
    events: ClientEvents
    mesh: Mesh

    def flush_touched(self) -> object:
        """Flush every connection whose session got output."""

    def refuse_clients(self) -> None:
        """Accept no more clients."""

    async def stop(self) -> None:
        """Close what is left, and end."""


class LameDuck:
    """The lame duck mode of one broker.

    Args:
        broker: Which one.
    """

    def __init__(self, broker: LameDuckHost) -> None:
        self._broker = broker
        self.is_entered = False
        """Whether there is no way back."""

    async def enter(self) -> None:
        """Go through it to the end; a second call returns at once."""
        if self.is_entered:
            return
        self.is_entered = True
        broker = self._broker
        broker.log.info("Entering lame duck mode, stop accepting new clients")
        broker.refuse_clients()
        broker.mesh.enter_lame_duck()
        if broker.registry.open:
            self._tell_clients()
            await asyncio.sleep(broker.options.lame_duck_grace_period_s)
            await self._close_clients()
        await broker.stop()

    def _tell_clients(self) -> None:
        for connection in self._broker.registry:
            self._broker.events.tell_anew(connection, is_lame_duck=True)
        self._broker.flush_touched()

    async def _close_clients(self) -> None:
        options, clients = self._broker.options, list(self._broker.registry)
        self._broker.log.info("Closing existing clients")
        time_s = options.lame_duck_duration_s - options.lame_duck_grace_period_s
        interval_s = min(time_s / max(len(clients), 1), _LONGEST_INTERVAL_S)
        n_at_once = max(round(_SHORTEST_INTERVAL_S / interval_s), 1)
        for begin in range(0, len(clients), n_at_once):
            if begin:
                await asyncio.sleep(max(interval_s, _SHORTEST_INTERVAL_S) * uniform(0.5, 1))
            for connection in clients[begin : begin + n_at_once]:
                connection.close(ClosedReason.SERVER_SHUTDOWN)
