"""What an operator tells a running process by signals.

Source: nats-server ``signal.go`` (handleSignals).
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress

from natsctl.broker.broker import Broker
from natsctl.broker.logs import Logger
from natsctl.errors import NatsctlError

__all__ = ["SignalHandlers"]


class SignalHandlers:
    """Obeys the signals of a process, from the moment it is made.

    Args:
        broker: Whose process it is.
        log: The broker's.
    """

    def __init__(self, broker: Broker, log: Logger) -> None:
        self._broker = broker
        self._log = log
        self._is_stopped = asyncio.Event()
        self._hangups: asyncio.Queue[None] = asyncio.Queue(maxsize=1)
        """One that waits is enough: a reload reads what the file says when its turn comes."""
        self._lame_duck: asyncio.Task[None] | None = None
        self._on_signal("SIGINT", self._stop, "interrupt")
        self._on_signal("SIGTERM", self._terminate)
        self._on_signal("SIGHUP", self._hang_up)
        self._on_signal("SIGUSR1", self._reopen_log)
        self._on_signal("SIGUSR2", self._enter_lame_duck_mode)

    async def obey(self) -> None:
        """Go on until the broker has stopped."""
        reloads = asyncio.create_task(self._reload_again_and_again(), name="reload")
        await self._is_stopped.wait()
        for task in (reloads, self._lame_duck):
            if task is not None:
                task.cancel()
        await self._broker.stop()

    # ---- the signals

    def _stop(self, name: str) -> None:
        self._trapped(name)
        self._is_stopped.set()

    def _terminate(self) -> None:
        if self._lame_duck is None:
            self._stop("terminated")
        else:  # it ends by itself, and slowly on purpose; an interrupt ends it at once
            self._trapped("terminated")

    def _hang_up(self) -> None:
        with suppress(asyncio.QueueFull):
            self._hangups.put_nowait(None)

    def _reopen_log(self) -> None:
        self._trapped("user defined signal 1")
        self._log.reopen()

    def _enter_lame_duck_mode(self) -> None:
        self._trapped("user defined signal 2")
        if self._lame_duck is None:
            self._lame_duck = asyncio.create_task(self._broker.lame_duck(), name="lame duck")
            self._lame_duck.add_done_callback(lambda _: self._is_stopped.set())

    # ---- what they set off

    async def _reload_again_and_again(self) -> None:
        while True:
            await self._hangups.get()
            self._trapped("hangup")
            try:
                await self._broker.reload()
            except NatsctlError as error:
                for line in str(error).splitlines():
                    self._log.error(f"Failed to reload server configuration: {line}")

    def _trapped(self, name: str) -> None:
        self._log.info(f'Trapped "{name}" signal')

    @staticmethod
    def _on_signal(signal_name: str, handle: Callable[..., None], *args: str) -> None:
        number = getattr(signal, signal_name, None)
        if number is None:  # Windows knows fewer signals
            return
        loop = asyncio.get_running_loop()
        try:
            loop.add_signal_handler(number, handle, *args)
        except NotImplementedError:  # the loops of Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(handle, *args))
