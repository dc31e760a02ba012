"""The broker: listeners, connections and the engine between them, from start to stop."""

from __future__ import annotations

import asyncio
import base64
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from natsctl.broker.auth import Authenticator
from natsctl.broker.banner import announce, announce_listener
from natsctl.broker.channel import Channel
from natsctl.broker.client_events import ClientEvents
from natsctl.broker.connection import Connection
from natsctl.broker.farewell import see_off
from natsctl.broker.identity import Identity
from natsctl.broker.lameduck import LameDuck
from natsctl.broker.leafnodes import Leafnodes
from natsctl.broker.listener import BACKLOG, join_address, listen, reachable
from natsctl.broker.logs import Logger, logging_logger
from natsctl.broker.news import News
from natsctl.broker.processfiles import ProcessFiles
from natsctl.broker.registry import Registry
from natsctl.broker.reload import Reloader
from natsctl.broker.routes import Mesh
from natsctl.broker.services import Services
from natsctl.broker.tls.handshake import Handshake
from natsctl.broker.tls.security import Security
from natsctl.config import Options, check_start, load_available
from natsctl.engine import create
from natsctl.engine.api import Engine, Limits, Link, Session
from natsctl.errors import ClosedReason, ConfigError, ServerError, WireError

if TYPE_CHECKING:
    from natsctl.broker.monitor import Monitor

__all__ = ["Broker"]

_READ_BYTES = 458752
"""Read at once from one connection: enough to amortise the loop, little enough that others get their turn. What a batch
makes for a receiver, a little longer by its sid, still fits into one chunk of the outbox."""
_NONCE_BYTES = 11
_CACHED_SUBJECTS = 8192


class Broker:
    """An embedded NATS broker on the running event loop.

    ::

        async with Broker(port=-1) as broker:
            nc = await nats.connect(broker.url)

    Args:
        options: What it is told; default: as nats-server, but only for this machine (127.0.0.1) and on a free port.
        log: Where log lines go; default: Python's logger ``natsctl.broker``.
        **overrides: Fields of :class:`~natsctl.config.Options` to set on top of ``options``.

    Raises:
        TypeError: An override is no field of Options.
    """

    def __init__(self, options: Options | None = None, *, log: Logger | None = None, **overrides: Any) -> None:
        unknown = overrides.keys() - {field.name for field in fields(Options)}
        if unknown:
            raise TypeError(f"no such option: {', '.join(sorted(unknown))}")
        base = options if options is not None else Options(host="127.0.0.1", port=-1)
        self.options = replace(base, **overrides)
        self.log = log if log is not None else logging_logger()
        self.registry = Registry(self.options.max_closed_clients)
        self.slow_consumers: Counter[str] = Counter()
        self.stale_connections: Counter[str] = Counter()
        self.read_buffer = memoryview(bytearray(_READ_BYTES))
        self.authenticator = Authenticator(self.options)
        self.started_at = self.config_loaded_at = datetime.now(UTC)
        self.read_options: Callable[[], Options] | None = None
        """Reads the configuration again for a reload; None without a file."""
        self.files: ProcessFiles | None = None
        """Kept in step with the options; None writes none."""
        self.identity: Identity
        self.engine: Engine
        self.host, self.port = self.options.host, self.options.port
        self.events = ClientEvents(self)
        self.services = Services(self, self.flush_soon)
        self.leafnodes = Leafnodes(self)
        self.mesh = Mesh(self)
        self._news = News(self)
        self._servers: list[asyncio.Server] = []
        self.monitor: Monitor | None = None
        self.security: Security | None = None
        self._sockets: set[Channel] = set()
        self._all_gone: asyncio.Event | None = None
        self._stopped: asyncio.Event | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._reloader = Reloader(self)
        self._lame_duck = LameDuck(self)
        self._loop: asyncio.AbstractEventLoop
        self._is_flush_due = False

    @classmethod
    def from_config(cls, path: str, *, log: Logger | None = None, **overrides: Any) -> Self:
        """Make a broker from a ``nats.conf``.

        Raises:
            ConfigError: The file cannot be used, or needs a feature the broker does not have.
        """
        loaded = load_available(path)
        broker = cls(loaded.options, log=log, **overrides)
        broker.read_options = lambda: replace(load_available(path).options, **overrides)
        for warning in loaded.warnings:
            broker.log.warn(str(warning))
        return broker

    # ---- life

    @property
    def url(self) -> str:
        """Where clients on this machine connect: ``nats://127.0.0.1:4222``, or ``tls://…`` when they must."""
        return f"{self._scheme}://{reachable(self.host)}:{self.port}"

    @property
    def _scheme(self) -> str:
        return "tls" if self.options.is_tls_required else "nats"

    @property
    def monitor_url(self) -> str:
        """Where programs on this machine find the monitoring pages: ``http://127.0.0.1:8222``; empty without."""
        return self.monitor.url if self.monitor is not None else ""

    def listeners(self) -> dict[str, list[str]]:
        """Name the addresses listened on, by what is spoken there, as URLs."""
        found = {"nats": [f"{self._scheme}://{join_address(self.host, self.port)}"]}
        if self.monitor is not None:
            found["monitoring"] = [f"{self.monitor.scheme}://{join_address(self.monitor.host, self.monitor.port)}"]
        if self.options.cluster.is_on:
            scheme = "nats" if self.options.cluster.tls is None else "tls"
            found["cluster"] = [f"{scheme}://{join_address(self.mesh.host, self.mesh.port)}"]
        if self.options.leafnodes.port:
            found["leafnodes"] = [self.leafnodes.url]
        return found

    async def start(self, before_ready: Callable[[], None] | None = None) -> None:
        """Bind the port and serve.

        Args:
            before_ready: Called when the port is bound, before the log says that the server is ready.

        Raises:
            ConfigError: Options that contradict each other.
            ServerError: The address cannot be bound.
            EngineError: The engine asked for is not available.
        """
        if self._stopped is not None:
            raise ServerError("a broker can be started only once")
        problems = check_start(self.options)
        if problems:
            raise ConfigError(problems)
        self._stopped = asyncio.Event()
        self._prepare()
        if self.options.http_port or self.options.https_port:
            await self._start_monitor()
        try:
            await self._listen()
        except ServerError:
            await self.stop_listening()
            if self.monitor is not None:
                await self.monitor.stop()
            raise
        announce_listener(self.log, self.options, join_address(self.host, self.port))
        if before_ready is not None:
            before_ready()
        self.log.info("Server is ready")
        await self.leafnodes.open_up()
        if self.options.cluster.is_on:
            await self.mesh.open()

    async def _start_monitor(self) -> None:
        from natsctl.broker.monitor import Monitor  # with an HTTP server, which a broker without the port goes without

        monitor = Monitor(self)
        await monitor.start()
        self.monitor = monitor

    async def _listen(self) -> None:
        sockets = listen(self.options.host, self.options.port)
        self.port = sockets[0].getsockname()[1]
        self.identity.listen_on(self.host, self.port, self.options.client_advertise)
        self._loop = loop = asyncio.get_running_loop()
        for sock in sockets:
            self._servers.append(await loop.create_server(lambda: self._accept(loop), sock=sock, backlog=BACKLOG))
        self.leafnodes.bind()
        if self.options.cluster.is_on:
            self.mesh.bind()

    def _prepare(self) -> None:
        options = self.options
        self.started_at = self.config_loaded_at = datetime.now(UTC)
        limits = Limits(
            max_control_line=options.max_control_line,
            max_pending=options.max_pending,
            max_sub_tokens=options.max_sub_tokens,
            drop_instead_of_stall=options.no_fast_producer_stall,
            cache_size=0 if options.disable_sublist_cache else _CACHED_SUBJECTS,
        )
        self.engine = create(self.events, limits)
        self.identity = Identity(options)
        announce(self.log, options, self.identity, self.engine.name, self.authenticator.has_plain_passwords)
        if options.tls is not None:
            self.security = Security(options.tls, options.allow_non_tls, self.log)
        self.services.serve_all()

    def _accept(self, loop: asyncio.AbstractEventLoop) -> asyncio.BufferedProtocol:
        connection = Connection(self, self.registry.next_cid(), loop)
        return connection if self.security is None else Handshake(self.security, connection)

    async def reload(self, options: Options | None = None) -> None:
        """Take over changed options without a restart, all of them or none.

        Clients that may not stay are closed, and subscriptions that are not allowed any more end.

        Args:
            options: What holds from now on; default: what the configuration file says now, with the overrides on top.

        Raises:
            ConfigError: The options cannot be used, or only a restart would change one of them; nothing was changed.
            ServerError: The new log cannot be opened; nothing was changed. Or the broker does not run.
        """
        if self._stopped is None or self._stopping is not None:
            raise ServerError("only a running broker can reload")
        await self._reloader.reload(options)

    async def lame_duck(self) -> None:
        """Accept no more clients, ask those who are there to leave, close the rest one by one, and stop."""
        await self._lame_duck.enter()

    async def stop(self, reason: ClosedReason = ClosedReason.SERVER_SHUTDOWN) -> None:
        """Stop listening, send out what is queued, and close every connection."""
        if self._stopped is None:
            return
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop(self._stopped, reason), name="stop")
        await asyncio.shield(self._stopping)  # whoever waits may give up: the stop goes on

    async def _stop(self, stopped: asyncio.Event, reason: ClosedReason) -> None:
        self.log.info("Initiating Shutdown...")
        await self.stop_listening()
        if self.monitor is not None:
            await self.monitor.stop()
        self.services.close()
        self._all_gone = asyncio.Event()
        await see_off(self._sockets, self._all_gone, reason)
        if self.security is not None:
            self.security.close()
        self.log.info("Server Exiting..")
        stopped.set()

    def refuse_clients(self) -> None:
        """Accept no more clients; other servers may still come, and monitoring goes on."""
        for server in self._servers:
            server.close()

    async def stop_listening(self) -> None:
        """Accept no more connections; monitoring goes on."""
        self.leafnodes.stop_listening()
        self.mesh.stop_listening()
        self.refuse_clients()

    async def wait_stopped(self) -> None:
        """Wait until the broker has been stopped."""
        if self._stopped is not None:
            await self._stopped.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # ---- connections

    def socket_made(self, channel: Channel) -> None:
        """There is one more socket."""
        self._sockets.add(channel)

    def socket_lost(self, channel: Channel) -> None:
        """The socket of a connection is gone."""
        self._sockets.discard(channel)
        if self._all_gone is not None and not self._sockets:
            self._all_gone.set()

    def open_session(self, connection: Connection) -> Session:
        """Open the session of a new connection."""
        session = self.engine.open(connection, self.events.anonymous_grant())
        session.tracing = self.events.is_traced("")
        self.registry.add(connection)
        return session

    def connection_ready(self, connection: Connection) -> None:
        """Greet a new connection, or refuse it."""
        if self.security is None or not self.security.options.handshake_first_s:
            self.greet(connection)
        limit = self.options.max_connections
        if 0 < limit < len(self.registry.open):
            text = "maximum connections exceeded"
            connection.session.fail(WireError(ClosedReason.MAX_CONNECTIONS_EXCEEDED, wire=text, log=text))
            return
        if self.security is None:
            self.admit(connection)

    def greet(self, connection: Connection) -> None:
        """Send the first INFO."""
        nonce = base64.urlsafe_b64encode(os.urandom(_NONCE_BYTES)).rstrip(b"=").decode()
        self.events.greet(connection, nonce if self.authenticator.wants_nonce else "")
        self.flush_touched()

    def admit(self, connection: Connection) -> None:
        """Let a connection whose transport is decided log in."""
        if self.authenticator.is_required:
            connection.start_auth_timer(self.options.auth_timeout_s)

    def connection_closed(self, connection: Connection, reason: ClosedReason) -> None:
        """A connection takes no more part; its last output may still be on the way."""
        self.registry.close(connection, reason)

    def tell_clients(self) -> None:
        """Send INFO anew to all clients that understand it."""
        self._news.tell()

    def flush_touched(self) -> Sequence[Session | Link]:
        """Flush every connection whose session got output; returns these sessions."""
        for internal in self.engine.collect_internal():
            for request in internal.take():
                self.services.answer(internal, request)
        touched = self.engine.collect()
        for session in touched:
            if session.owner is not None:
                session.owner.flush()
        return touched

    def flush_soon(self) -> None:
        """Do so when the loop has read from everybody who had something to say."""
        if not self._is_flush_due:
            self._is_flush_due = True
            self._loop.call_soon(self._flush_turn)

    def _flush_turn(self) -> None:
        self._is_flush_due = False
        self.flush_touched()
