"""What the engine tells of clients, and what the broker answers: CONNECT, errors, pings, traces.

Source: nats-server ``client.go`` (processConnect, authViolation, processPing, processErr).
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import msgspec

from natsctl.broker.auth import (
    GLOBAL_ACCOUNT,
    SYSTEM_ACCOUNT,
    Authenticator,
    Login,
    claimed_login,
    is_bcrypt,
    verify_password,
)
from natsctl.broker.connection import Connection
from natsctl.broker.identity import Identity
from natsctl.broker.logs import Logger
from natsctl.broker.redact import trace_op, trace_payload
from natsctl.broker.registry import Registry
from natsctl.config import Options
from natsctl.config.options import UNLIMITED
from natsctl.engine.api import Arrow, Grant, Session
from natsctl.errors import ClosedReason, WireError
from natsctl.protocol.documents import Connect, decode_connect, encode_info

__all__ = ["ClientEvents", "Environment"]

_HEADER_END = 4


class Environment(Protocol):
    """What the answers depend on."""

    options: Options
    log: Logger
    identity: Identity
    authenticator: Authenticator
    registry: Registry

    def flush_touched(self) -> object:
        """Flush every connection whose session got output."""


class ClientEvents:
    """The broker's side of the engine's seam, for clients. See :class:`natsctl.engine.api.Handler`."""

    def __init__(self, environment: Environment) -> None:
        self._env = environment

    # ---- who is it?

    def greet(self, connection: Connection, nonce: str) -> None:
        """Send the first INFO."""
        connection.nonce = nonce
        connection.session.write(self._info(connection))

    def _info(self, connection: Connection, account: str = "", *, is_lame_duck: bool = False) -> bytes:
        env = self._env
        required = env.authenticator.is_required and (bool(account) or env.authenticator.no_auth_login is None)
        info = env.identity.info(
            options=env.options,
            auth_required=required,
            client_id=connection.cid,
            client_ip=connection.ip,
            nonce="" if account else connection.nonce,
            account=account,
        )
        info.ldm = is_lame_duck
        if account:
            info.acc_is_sys = account == (env.options.system_account or SYSTEM_ACCOUNT)
        if connection.account:
            info.max_payload = connection.login.max_payload(env.options.max_payload)
        return encode_info(info)

    def tell_anew(self, connection: Connection, *, is_lame_duck: bool = False) -> None:
        """Send another INFO to a client that understands it: it has logged in, and been answered."""
        connect = connection.connect
        if connect is not None and connect.protocol >= 1 and connection.session.pings:
            connection.session.write(self._info(connection, is_lame_duck=is_lame_duck))

    def anonymous_grant(self) -> Grant | None:
        """What a client may do before any CONNECT: everything when no login is required, nothing otherwise."""
        if self._env.authenticator.is_required:
            return None
        return self.make_grant(Login(), Connect())

    def on_connect(self, session: Session, document: bytes) -> None:
        """A CONNECT came: find the login, verify it (bcrypt in a thread), answer."""
        connection: Connection = session.owner
        try:
            connect = decode_connect(document, connection.connect)
        except ValueError as error:
            session.fail(WireError(ClosedReason.PROTOCOL_VIOLATION, log=str(error)))
            return
        connection.introduce(connect)
        self._log_in(connection, connect)

    def _log_in(self, connection: Connection, connect: Connect) -> None:
        authenticator = self._env.authenticator
        if not authenticator.is_required:
            self._accept(connection, connect, claimed_login(connect))
            return
        found = authenticator.find(connect, connection.nonce, connection.tls, connection.debug)
        if found is None:
            self.refuse(connection, connect)
            return
        login, given = found
        if given is None:
            self._accept(connection, connect, login)
        elif is_bcrypt(login.secret):
            connection.verifying = connection.loop.run_in_executor(None, verify_password, login.secret, given)
            connection.verifying.add_done_callback(
                lambda verified: self._verified(connection, connect, login, verified, authenticator)
            )
        elif verify_password(login.secret, given):
            self._accept(connection, connect, login)
        else:
            self.refuse(connection, connect)

    def _verified(
        self,
        connection: Connection,
        connect: Connect,
        login: Login,
        verified: asyncio.Future[bool],
        authenticator: Authenticator,
    ) -> None:
        connection.verifying = None
        if verified.cancelled() or connection.session.closed is not None:
            return
        if authenticator is not self._env.authenticator:  # a reload came between
            self._log_in(connection, connect)
        elif verified.result():
            self._accept(connection, connect, login)
        else:
            self.refuse(connection, connect)
        self._env.flush_touched()

    def on_unauthenticated(self, session: Session) -> None:
        """Another verb came first: the no_auth_user, if there is one, or nobody."""
        connection: Connection = session.owner
        authenticator = self._env.authenticator
        # Since it connected, a reload may have done away with logins.
        login = authenticator.no_auth_login if authenticator.is_required else Login()
        if login is None or not login.is_admitted:
            self.refuse(connection, None)
            return
        connection.stop_auth_timer()
        if self._enter_account(connection, login):
            session.grant(self.make_grant(login, Connect()))

    def _accept(self, connection: Connection, connect: Connect, login: Login) -> None:
        session = connection.session
        if connect.account or connect.new_account:
            self.refuse(connection, connect)
        elif connect.protocol not in (0, 1):
            session.fail(WireError(ClosedReason.BAD_CLIENT_PROTOCOL_VERSION, wire="invalid client protocol"))
        elif connect.no_responders and not (connect.headers and not self._env.options.no_header_support):
            reason = ClosedReason.NO_RESPONDERS_REQUIRES_HEADERS
            session.fail(WireError(reason, wire="no responders requires headers support"))
        elif self._enter_account(connection, login):
            connection.settle()
            session.grant(self.make_grant(login, connect))

    def _enter_account(self, connection: Connection, login: Login) -> bool:
        registry, limit = self._env.registry, login.limits.max_connections
        registry.move(connection, "")
        if limit != UNLIMITED and registry.in_account(login.account) >= limit:
            text = "maximum account active connections exceeded"
            error = WireError(ClosedReason.MAX_ACCOUNT_CONNECTIONS_EXCEEDED, wire=text, log=text)
            connection.session.fail(error)
            return False
        registry.move(connection, login.account)
        connection.login = login
        connection.retag()
        connection.session.tracing = self.is_traced(login.account)
        return True

    def is_traced(self, account: str) -> bool:
        """Whether sessions of an account are traced: the system account only when tracing is verbose."""
        env = self._env
        is_system = account == (env.options.system_account or SYSTEM_ACCOUNT)
        return env.log.trace_enabled and (env.options.log.trace_verbose or not is_system)

    def make_grant(self, login: Login, connect: Connect) -> Grant:
        """Say what a login may, for a client that asked for this."""
        options, limits = self._env.options, login.limits
        max_subscriptions = options.max_subscriptions  # 0 is no limit here, and UNLIMITED in the account
        if limits.max_subscriptions != UNLIMITED:
            max_subscriptions = min(max_subscriptions or limits.max_subscriptions, limits.max_subscriptions)
        return Grant(
            account=login.account,
            verbose=connect.verbose,
            pedantic=connect.pedantic,
            echo=connect.echo,
            headers=connect.headers and not options.no_header_support,
            no_responders=connect.no_responders,
            max_payload=login.max_payload(options.max_payload),
            max_subscriptions=max_subscriptions,
            permissions=login.permissions,
        )

    def refuse(self, connection: Connection, connect: Connect | None) -> None:
        """Send a client away whose credentials are no good."""
        self._env.log.error(f"{connection.tag} - {self._env.authenticator.failure_text(connect)}")
        connection.session.fail(WireError(ClosedReason.AUTHENTICATION_FAILURE, wire="Authorization Violation"))

    # ---- what happens on the way

    def on_info(self, session: Session, document: bytes) -> None:
        """A client's INFO says nothing a broker needs, but it must be one."""
        try:
            msgspec.json.decode(document)
        except (msgspec.DecodeError, RecursionError) as error:
            session.fail(WireError(ClosedReason.PROTOCOL_VIOLATION, log=str(error)))

    def on_ping(self, session: Session) -> None:
        """The first PONG has gone out: tell a client that understands it what it became."""
        connection: Connection = session.owner
        if connection.connect is not None and connection.connect.protocol >= 1:
            session.write(self._info(connection, connection.account or GLOBAL_ACCOUNT))

    def on_pong(self, session: Session) -> None:
        """The client answers pings."""
        session.owner.pinger.pong()

    def on_violation(self, session: Session, text: str) -> None:
        """The client was told no."""
        self._env.log.error(f"{session.owner.tag} - {text}")

    def on_protocol_error(self, session: Session, error: WireError) -> None:
        """The client is sent away."""
        connection: Connection = session.owner
        if error.log is not None:
            self._env.log.error(f"{connection.tag} - {error.log}")
        connection.close(error.reason)

    def on_pressure(self, session: Session) -> None:
        """Send what the kernel takes, and count what has left by now."""
        session.owner.relieve()

    def on_slow_consumer(self, session: Session) -> None:
        """The client reads too slowly for what it subscribed to."""
        session.owner.overflow()

    # ---- traces

    def on_trace(self, session: Session, arrow: Arrow, verb: bytes, args: bytes) -> None:
        """A control line went in or out."""
        self._env.log.trace(f"{session.owner.tag} - {arrow.value} {trace_op(verb, args)}")

    def on_trace_payload(self, session: Session, arrow: Arrow, payload: bytes, header_size: int) -> None:
        """A payload went in or out."""
        log = self._env.options.log
        if log.trace_headers:
            if not header_size:
                return
            payload = payload[: header_size - _HEADER_END]
        self._env.log.trace(f"{session.owner.tag} - {arrow.value} {trace_payload(payload, log.max_traced_msg_len)}")
