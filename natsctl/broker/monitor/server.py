"""The monitoring port: uvicorn's HTTP on the broker's loop and its own sockets.

Uvicorn's server with its signals, clock ticks and logs stays out of it; the broker starts and stops, and logs.

Task: everything here runs on the broker's loop.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable

from uvicorn.config import Config
from uvicorn.server import ServerState

from natsctl.broker.listener import BACKLOG, ListenError, join_address, listen, reachable
from natsctl.broker.logs import Logger
from natsctl.broker.monitor.http import HttpConnection, Waiting
from natsctl.broker.monitor.https import Https
from natsctl.broker.monitor.pages import Pages
from natsctl.broker.monitor.source import MonitoredBroker, Source
from natsctl.errors import ServerError

__all__ = ["Monitor"]

_KEEP_ALIVE_S = 75
"""How long an idle connection is kept: longer than the minute at which many scrape."""
_LAST_WORDS_S = 1.0


class Monitor:
    """The monitoring port of a broker.

    Attributes:
        host: The address listened on.
        port: The port listened on.
    """

    def __init__(self, broker: MonitoredBroker) -> None:
        options = broker.options
        self._broker = broker
        self._base_path = f"/{options.http_base_path.strip('/')}".rstrip("/")
        self.host = options.http_host or options.host
        self.port = options.https_port or options.http_port
        self._tls = options.tls if options.https_port else None
        self._https: Https | None = None
        self._state = ServerState()
        self._waiting = Waiting()
        self._servers: list[asyncio.Server] = []

    @property
    def url(self) -> str:
        """Where programs on this machine find the front page, without a slash at the end."""
        return f"{self.scheme}://{reachable(self.host)}:{self.port}{self._base_path}"

    @property
    def scheme(self) -> str:
        """What programs speak there."""
        return "http" if self._tls is None else "https"

    async def start(self) -> None:
        """Bind the port and serve.

        Raises:
            ServerError: The address cannot be bound.
        """
        try:
            sockets = listen(self.host, self.port)
        except ListenError as error:
            raise ServerError(f"Can't start monitoring: can't listen to the monitor port: {error.reason}") from None
        self.port = sockets[0].getsockname()[1]
        pages = Pages(Source(self._broker, self.host, **{f"{self.scheme}_port": self.port}), self._base_path)
        config = Config(
            pages,
            http=HttpConnection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
        )
        config.load()
        accept = self._connections(config)
        loop = asyncio.get_running_loop()
        for sock in sockets:
            self._servers.append(await loop.create_server(accept, sock=sock, backlog=BACKLOG))
        self._broker.log.info(f"Starting {self.scheme} monitor on {join_address(self.host, self.port)}")

    def _connections(self, config: Config) -> Callable[[], asyncio.BaseProtocol]:
        log = _faults_to(self._broker.log)

        def connect() -> HttpConnection:
            return HttpConnection(config, self._state, self._waiting, log)

        if self._tls is None:
            return connect
        self._https = Https(self._tls, self._waiting, self._broker.log, connect)
        return self._https.accept

    def renew(self, context: ssl.SSLContext | None) -> None:
        """Show other certificates to whoever comes from now on; None where the pages are served in clear."""
        if self._https is not None and context is not None:
            self._https.context = context

    async def stop(self) -> None:
        """Stop listening, and cut off whoever is still being answered."""
        for server in self._servers:
            server.close()
        self._waiting.abort()
        if self._https is not None:
            self._https.close()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=_LAST_WORDS_S)


class _FaultHandler(logging.Handler):
    """Hands what uvicorn holds an error to the broker's log."""

    def __init__(self, log: Logger) -> None:
        super().__init__(logging.ERROR)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Log one error, with the exception behind it."""
        error = record.exc_info[1] if record.exc_info else None
        self._log.error(f"monitoring: {error!r}" if error is not None else f"monitoring: {record.getMessage()}")


def _faults_to(log: Logger) -> logging.Logger:
    """Make a logger that ``logging`` does not know: a program around us may have plans of its own for uvicorn's."""
    logger = logging.Logger("natsctl.broker.monitor", logging.ERROR)
    logger.addHandler(_FaultHandler(log))
    return logger
