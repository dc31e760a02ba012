"""What becomes of the clients that are connected when logins, permissions or limits change.

Who proves to be allowed stays and loses the subscriptions that are not; everybody else is closed: without a word when
the user is gone or belongs to another account, for then it may come back at once, else with an -ERR.

Source: nats-server ``reload.go`` (reloadAuthorization), ``client.go`` (processSubsOnConfigReload).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

from natsctl.broker.auth import Authenticator, Login, claimed_login, is_bcrypt, verify_password
from natsctl.broker.connection import Connection
from natsctl.broker.reload.effects import surplus_error
from natsctl.broker.reload.host import ReloadHost
from natsctl.config.options import UNLIMITED
from natsctl.engine.api import SubscriptionView
from natsctl.errors import ClosedReason, WireError
from natsctl.protocol.documents import Connect
from natsctl.protocol.quote import go_quote

__all__ = ["Reauthorization"]


class _MovedError(Exception):
    """The user of a connection is gone, or belongs to another account."""


class Reauthorization:
    """New logins for those who are connected.

    Args:
        broker: Whose clients; its options and authenticator are the old ones.
        authenticator: The logins there will be.
    """

    def __init__(self, broker: ReloadHost, authenticator: Authenticator) -> None:
        self._broker = broker
        self._old, self._old_payload = broker.authenticator, broker.options.max_payload
        self._new = authenticator
        self._passed: dict[tuple[str, str], bool] = {}
        self._members: Counter[str] = Counter()

    async def verify(self) -> None:
        """Verify what takes long: passwords whose hash has changed; others than those may connect meanwhile."""
        loop = asyncio.get_running_loop()
        while unknown := set(self._unknown()):
            for secret, given in unknown:
                self._passed[secret, given] = await loop.run_in_executor(None, verify_password, secret, given)

    def _unknown(self) -> Iterator[tuple[str, str]]:
        for connection in self._broker.registry:
            if connection.session.granted:
                try:
                    login, given = self._claim(connection)
                except _MovedError:
                    continue
                if login is None or given is None or not is_bcrypt(login.secret):
                    continue
                if (login.secret, given) not in self._passed:
                    yield login.secret, given

    def apply(self) -> None:
        """Let the new logins hold for everybody."""
        self._broker.authenticator = self._new
        for connection in self._broker.registry:
            if connection.session.granted:
                self._decide(connection)
            elif not self._new.is_required:
                connection.stop_auth_timer()

    # ---- who is it now?

    def _claim(self, connection: Connection) -> tuple[Login | None, str | None]:
        """Find the login a connection has now, and the password it still has to prove it with.

        Raises:
            _MovedError: There is none of that name, or it is in another account.
        """
        connect = connection.connect or Connect()
        login: Login | None
        given: str | None = None
        if not self._new.is_required:
            login = claimed_login(connect)
        elif self._old.is_required and connection.login.label:
            login = self._new.renewed(connection.login)
            if login is None:
                raise _MovedError
            if login.secret != connection.login.secret:
                given = connect.auth_token if login.label == "token" else connect.password
        else:
            login, given = self._new.find(connect, connection.nonce, connection.tls) or (None, None)
        if login is not None and login.account != connection.session.account:
            raise _MovedError
        return login, given

    def _proves(self, login: Login, given: str | None) -> bool:
        if given is None:
            return True
        if is_bcrypt(login.secret):
            return self._passed[login.secret, given]
        return verify_password(login.secret, given)

    # ---- what may it now?

    def _decide(self, connection: Connection) -> None:
        try:
            login, given = self._claim(connection)
        except _MovedError:
            connection.close(ClosedReason.CLIENT_CLOSED)
            return
        if login is None or not self._proves(login, given) or not login.is_admitted:
            self._broker.events.refuse(connection, connection.connect)
            return
        self._members[login.account] += 1
        if login.limits.max_connections != UNLIMITED and self._members[login.account] > login.limits.max_connections:
            text = "maximum account active connections exceeded"
            reason = ClosedReason.MAX_ACCOUNT_CONNECTIONS_EXCEEDED
            connection.session.fail(surplus_error(connection, text, reason))
            return
        self._regrant(connection, login)

    def _regrant(self, connection: Connection, login: Login) -> None:
        before, connection.login = connection.login, login
        if login.label != before.label:
            connection.retag()
        max_payload = login.max_payload(self._broker.options.max_payload)
        is_told = max_payload == before.max_payload(self._old_payload)
        if is_told and login.rules == before.rules and login.limits == before.limits:
            return
        session, events = connection.session, self._broker.events
        grant = events.make_grant(login, connection.connect or Connect())
        for subscription in session.regrant(grant):
            self._tell_removed(connection, subscription)
        if 0 < grant.max_subscriptions < session.n_subscriptions:
            text = "maximum subscriptions exceeded"
            session.fail(WireError(ClosedReason.MAX_SUBSCRIPTIONS_EXCEEDED, wire=text, log=text))
        elif not is_told:
            events.tell_anew(connection)

    def _tell_removed(self, connection: Connection, subscription: SubscriptionView) -> None:
        subject, queue, sid, _, _ = subscription
        using = f" using queue {go_quote(queue)}" if queue is not None else ""
        of = f"{go_quote(subject)}{using} (sid {go_quote(sid)})"
        connection.session.send_error(f"Permissions Violation for Subscription to {of}")
        self._broker.log.info(f"Removed sub {of} for {_named(connection)} - not authorized")


def _named(connection: Connection) -> str:
    connect = connection.connect or Connect()
    if connect.nkey:
        return f"Nkey {go_quote(connect.nkey.encode('utf-8', 'replace'))}"
    return f"User {go_quote((connection.user or 'N/A').encode('utf-8', 'replace'))}"
