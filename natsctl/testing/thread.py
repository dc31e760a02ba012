"""A broker in a thread of its own, for programs that have no event loop, or block theirs."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from natsctl.broker import Broker
    from natsctl.config import Options

__all__ = ["BrokerThread", "run_broker"]

_STOP_S = 10.0
"""Far more than a broker ever needs to let go of its clients."""


@contextmanager
def run_broker(
    *, config: str | os.PathLike[str] | None = None, config_text: str | None = None, **options: Any
) -> Iterator[BrokerThread]:
    """Run a broker while a ``with`` block lasts, for any client, in this process or another.

    ::

        with run_broker(max_payload=1024) as server:
            subprocess.run(["my-service", "--nats", server.url], check=True)

    Args:
        config: Path of a ``nats.conf``.
        config_text: What could stand in one.
        **options: Fields of :class:`~natsctl.config.Options`, on top of the configuration.

    A broker for tests listens on a free port of 127.0.0.1, whatever the configuration says, unless ``host`` and
    ``port`` are given here. Its log is Python's logger ``natsctl.broker``; log and process files of a configuration are
    left to ``natsctl server``.

    Raises:
        TypeError: There is no such option, or there are two configurations.
        ConfigError: The configuration cannot be used.
        ServerError: The broker cannot start, or failed while it ran.
    """
    server = BrokerThread(_read_config(config, config_text), **options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class BrokerThread:
    """A broker in a thread; it can be stopped and started again to see what clients do then.

    Args:
        base: Options to start from.
        **overrides: Fields of :class:`~natsctl.config.Options` to set on top of them.

    Attributes:
        broker: The broker. It belongs to its thread: look at it from others, but call nothing.

    Task: every method is called from one thread, which is not the broker's.

    Raises:
        TypeError: An override is no option.
    """

    def __init__(self, base: Options, **overrides: Any) -> None:
        from natsctl.broker import Broker

        self.broker: Broker = Broker(base, **{"host": "127.0.0.1", "port": -1, **overrides})
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._stopping: asyncio.Event
        self._failures: list[BaseException] = []

    @property
    def url(self) -> str:
        """Where clients on this machine connect, such as ``nats://127.0.0.1:40123``."""
        return self.broker.url

    @property
    def host(self) -> str:
        """The address listened on."""
        return self.broker.host

    @property
    def port(self) -> int:
        """The port listened on; it stays the same when the broker is started again."""
        return self.broker.port

    @property
    def options(self) -> Options:
        """What the broker was told."""
        return self.broker.options

    def start(self) -> None:
        """Start the broker; clients can connect when this returns.

        Raises:
            ConfigError: Options that contradict each other.
            ServerError: It is running already, or the address cannot be bound.
            EngineError: The engine asked for is not available.
        """
        from natsctl.broker import Broker
        from natsctl.errors import ServerError

        if self._thread is not None:
            raise ServerError("the broker is running already")
        if self.broker.port > 0:  # it ran before, and its clients will look for it where it was
            self.broker = Broker(self.broker.options, port=self.broker.port)
        started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="natsctl-broker", daemon=True)
        self._thread.start()
        try:
            started.result()
        except Exception:
            self._join()
            raise

    def stop(self) -> None:
        """Stop the broker, if it runs, and close the connections of all its clients.

        Raises:
            ServerError: The broker failed while it ran.
        """
        if self._thread is None:
            return
        with suppress(RuntimeError):  # the loop is closed already: the broker failed
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._join()

    def _join(self) -> None:
        from natsctl.errors import ServerError

        assert self._thread is not None
        self._thread.join(_STOP_S)
        if self._thread.is_alive():
            raise ServerError(f"the broker did not stop within {_STOP_S:g} s")
        self._thread = None
        failures, self._failures = self._failures, []
        if failures:
            raise ServerError(f"the broker failed while it ran: {failures[0]!r}") from failures[0]

    def _run(self, started: Future[None]) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._serve(started))
        except BaseException as error:  # nobody sees what a thread raises; `start` or `stop` tells it
            if started.done():
                self._failures.append(error)
            else:
                started.set_exception(error)

    async def _serve(self, started: Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._on_failure)
        self._stopping = asyncio.Event()
        async with self.broker:
            started.set_result(None)
            await self._stopping.wait()

    def _on_failure(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        loop.default_exception_handler(context)
        self._failures.append(context.get("exception") or RuntimeError(context["message"]))


def _read_config(config: str | os.PathLike[str] | None, config_text: str | None) -> Options:
    from natsctl.broker.logs import logging_logger
    from natsctl.config import Options, load, loads
    from natsctl.errors import ConfigError

    if config is not None and config_text is not None:
        raise TypeError("config and config_text exclude each other")
    if config is None and config_text is None:
        return Options()
    loaded = load(os.fspath(config)) if config is not None else loads(config_text or "", file="config_text")
    if loaded.unavailable:
        raise ConfigError(loaded.unavailable)
    for warning in loaded.warnings:
        logging_logger().warn(str(warning))
    return loaded.options
