"""One reload after the other: prepared, then applied."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from natsctl.broker.auth import Authenticator
from natsctl.broker.logs import open_sink
from natsctl.broker.logs.sink import Sink
from natsctl.broker.processfiles import check_writable
from natsctl.broker.reload.clients import Reauthorization
from natsctl.broker.reload.effects import EFFECTS
from natsctl.broker.reload.host import ReloadHost
from natsctl.broker.routes.encryption import RouteTls
from natsctl.broker.tls.context import monitoring_context
from natsctl.broker.tls.security import Security
from natsctl.config import Options, check_start
from natsctl.config.diff import Change, diff
from natsctl.config.options import LogOptions
from natsctl.errors import ClosedReason, ConfigError, Problem

__all__ = ["Reloader"]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """All that a reload needs and that could not have been had."""

    options: Options
    changes: list[Change]
    clients: Reauthorization
    security: Security | None
    monitoring: ssl.SSLContext | None
    routes: RouteTls | None
    sink: Sink | None
    """Another place for the log; None where it stays."""


class Reloader:
    """Changes the options of a running broker.

    Task: runs on the broker's loop; a second reload waits for the first.
    """

    def __init__(self, broker: ReloadHost) -> None:
        self._broker = broker
        self._turn = asyncio.Lock()

    async def reload(self, options: Options | None = None) -> None:
        """Take over options; by default those that the configuration says now.

        Raises:
            ConfigError: They cannot be used, or not without a restart (:class:`~natsctl.errors.ReloadError`); nothing
                was changed.
            ServerError: The log cannot be opened; nothing was changed.
        """
        async with self._turn:
            self._apply(await self._prepare(options if options is not None else await self._read()))

    # ---- before

    async def _read(self) -> Options:
        read = self._broker.read_options
        if read is None:
            raise ConfigError([Problem("can only reload config when a file is provided using -c or --config")])
        return await asyncio.to_thread(read)

    async def _prepare(self, options: Options) -> _Prepared:
        broker = self._broker
        if options.port == -1:  # any port: the one there is
            options = replace(options, port=broker.port)
        changes = diff(replace(broker.options, port=broker.port), options)
        security, monitoring, routes = await asyncio.to_thread(self._prepare_files, options)
        clients = Reauthorization(broker, Authenticator(options))
        await clients.verify()
        return _Prepared(options, changes, clients, security, monitoring, routes, self._open_log(options.log))

    def _prepare_files(self, options: Options) -> tuple[Security | None, ssl.SSLContext | None, RouteTls | None]:
        problems = check_start(options)
        if self._broker.files is not None:
            problems += [Problem(text) for text in check_writable(options, self._broker.options)]
        if problems:
            raise ConfigError(problems)
        tls, log = options.tls, self._broker.log
        try:
            return (
                Security(tls, options.allow_non_tls, log) if tls is not None else None,
                monitoring_context(tls) if tls is not None and options.https_port else None,
                RouteTls.of(options.cluster, log),
            )
        except OSError as error:  # the files were good a moment ago
            raise ConfigError([Problem(f"tls: {error.strerror or error}")]) from None

    def _open_log(self, options: LogOptions) -> Sink | None:
        """Open the log where it shall go; the last thing that may fail."""
        now = self._broker.options.log
        is_moved = _place(options) != _place(now)
        return open_sink(options) if is_moved and self._broker.log.follows_options else None

    # ---- now

    def _apply(self, prepared: _Prepared) -> None:
        broker, options = self._broker, prepared.options
        before, broker.options = broker.options, options
        broker.security = prepared.security
        broker.mesh.secure(prepared.routes)
        if broker.monitor is not None:
            broker.monitor.renew(prepared.monitoring)
        for change in prepared.changes:
            effect = EFFECTS.get(change.path)
            if effect is not None:
                effect(broker, before)
            if change.message:
                broker.log.info(change.message)
        broker.log.follow(options.log, prepared.sink)
        for connection in broker.registry:
            connection.session.tracing = broker.events.is_traced(connection.login.account)
        broker.mesh.follow_log()
        prepared.clients.apply()
        broker.services.serve_all()
        digest = f" ({options.config_digest})" if options.config_digest else ""
        broker.log.info(f"Reloaded server configuration{digest}")
        broker.config_loaded_at = datetime.now(UTC)
        if any(change.path == "tls.pinned_certs" for change in prepared.changes):
            self._recheck_pins()
        broker.flush_touched()

    def _recheck_pins(self) -> None:
        """Cut the clients whose certificates are not among the pinned ones any more."""
        security = self._broker.security
        if security is None or not security.pins:
            return
        encrypted = [each for each in self._broker.registry if each.tls is not None]
        strangers = [each for each in encrypted if each.tls and each.tls.public_key_sha256 not in security.pins]
        if strangers:
            self._broker.log.info(f"Disconnect {len(strangers)} clients due to pinned certs reload")
        for connection in strangers:
            connection.close(ClosedReason.TLS_HANDSHAKE_FAILURE)


def _place(log: LogOptions) -> tuple[object, ...]:
    """What decides where lines go and how they begin."""
    return log.log_file, log.remote_syslog, log.syslog, log.logtime, log.logtime_utc
