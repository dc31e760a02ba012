"""Who may connect, and as what.

Source: nats-server ``auth.go`` (processClientOrLeafAuthentication, comparePasswords); the order is nkey, users, token,
single user. Without any of them everybody may connect.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from natsctl.broker.tls.mapping import CertificateMap
from natsctl.broker.tls.session import TlsSession
from natsctl.config import Options
from natsctl.config.options import UNLIMITED, AccountLimits, AccountOptions, User
from natsctl.config.options import Permissions as PermissionOptions
from natsctl.engine.permissions import Permissions, Responses, Rule
from natsctl.protocol import nkey
from natsctl.protocol.documents import Connect
from natsctl.protocol.quote import go_quote

__all__ = [
    "GLOBAL_ACCOUNT",
    "SYSTEM_ACCOUNT",
    "Authenticator",
    "Login",
    "claimed_login",
    "compile_permissions",
    "is_bcrypt",
    "verify_password",
]

GLOBAL_ACCOUNT = "$G"
SYSTEM_ACCOUNT = "$SYS"
_STANDARD = "STANDARD"
_BCRYPT = re.compile(r"\$2[abxy]\$\d\d\$.*", re.DOTALL)
_BCRYPT_MAX_BYTES = 72


@dataclass(slots=True)
class Login:
    """What a connection becomes once its credentials are accepted.

    Attributes:
        label: How the connection's log tag names it (``user:a``, ``nkey:U…``, ``token``); empty for nobody.
        secret: What the client has to know, plain or bcrypt; empty when an nkey proves it.
        is_admitted: Whether it may be used over connections of this type; one that may not still makes logins
            necessary.
    """

    name: str = ""
    label: str = ""
    account: str = GLOBAL_ACCOUNT
    limits: AccountLimits = field(default_factory=AccountLimits)
    permissions: Permissions | None = None
    rules: PermissionOptions | None = None
    secret: str = field(default="", repr=False)
    public_key: bytes = b""
    is_admitted: bool = True

    def max_payload(self, of_server: int) -> int:
        """The largest payload it may publish, where the server allows so much; -1 is no limit."""
        of_account = self.limits.max_payload
        if UNLIMITED in (of_server, of_account):
            return max(of_server, of_account)
        return min(of_server, of_account)


def claimed_login(connect: Connect) -> Login:
    """The login of a client that needs none: it is who it says it is, and that only matters in logs."""
    if connect.nkey:
        return Login(connect.nkey, f"nkey:{connect.nkey}")
    if connect.user:
        return Login(connect.user, f"user:{connect.user}")
    return Login(label="token") if connect.auth_token else Login()


def is_bcrypt(secret: str) -> bool:
    """Whether a configured password is a bcrypt hash (checking one takes long and belongs in a thread)."""
    return _BCRYPT.fullmatch(secret) is not None


def verify_password(secret: str, given: str) -> bool:
    """Compare a password or token with the configured one, plain or bcrypt, in constant time."""
    if not is_bcrypt(secret):
        # A secret from the command line may hold bytes that are no UTF-8.
        return hmac.compare_digest(secret.encode(errors="surrogateescape"), given.encode("utf-8", "replace"))
    import bcrypt

    try:
        return bcrypt.checkpw(given.encode("utf-8", "replace")[:_BCRYPT_MAX_BYTES], secret.encode())
    except ValueError:  # a NUL in the password, or a hash that only looks like one
        return False


def compile_permissions(options: PermissionOptions | None) -> Permissions | None:
    """Make the engine's permissions from those of the configuration."""
    if options is None:
        return None
    publish, subscribe, answers = options.publish, options.subscribe, options.allow_responses
    publish_allow = publish.allow
    if answers is not None and publish_allow is None:
        publish_allow = []  # the right to answer alone is no right to publish
    responses = None
    if answers is not None:
        responses = Responses(max(answers.max_msgs, 0), max(answers.expires_s, 0.0))
    return Permissions(
        publish_allow=None if publish_allow is None else [subject.encode() for subject in publish_allow],
        publish_deny=[subject.encode() for subject in publish.deny],
        subscribe_allow=None if subscribe.allow is None else [_rule(text) for text in subscribe.allow],
        subscribe_deny=[_rule(text) for text in subscribe.deny],
        responses=responses,
    )


def _rule(text: str) -> Rule:
    subject, *queue = text.encode().split()
    return Rule(subject, queue[0] if queue else None)


class Authenticator:
    """The logins of a configuration.

    Args:
        options: The configuration.
        connection_type: How users are told that they may connect in this way.
    """

    def __init__(self, options: Options, connection_type: str = _STANDARD) -> None:
        self._connection_type = connection_type
        given = options.authorization
        self._users: dict[str, Login] = {}
        self._nkeys: dict[str, Login] = {}
        self._token: Login | None = None
        self._single: Login | None = None
        self._add(AccountOptions(GLOBAL_ACCOUNT, given.users, default_permissions=given.default_permissions))
        for account in options.accounts:
            self._add(account)
        if given.token:
            self._token = Login("", "token", secret=given.token)
        if given.user:
            single = Login(given.user, f"user:{given.user}", secret=given.password)
            self._single = self._with_permissions(single, given.default_permissions)
        self._certificates: CertificateMap | None = None
        self.no_auth_login: Login | None = None
        if options.tls is not None and options.tls.verify_and_map and self._users:
            self._certificates = CertificateMap(name for name, login in self._users.items() if login.is_admitted)
        else:
            self.no_auth_login = self._users.get(options.no_auth_user) or self._nkeys.get(options.no_auth_user)

    def _add(self, account: AccountOptions) -> None:
        for user in account.users:
            login = Login(user.user or user.nkey, account=account.name, limits=account.limits)
            login.is_admitted = self._admits(user)
            login = self._with_permissions(login, user.permissions or account.default_permissions)
            if user.nkey:
                login.label = f"nkey:{user.nkey}"
                login.public_key = nkey.decode_public(nkey.USER, user.nkey)
                self._nkeys[user.nkey] = login
            else:
                login.label = f"user:{user.user}"
                login.secret = user.password
                self._users[user.user] = login

    def _admits(self, user: User) -> bool:
        return not user.allowed_connection_types or self._connection_type in user.allowed_connection_types

    def _with_permissions(self, login: Login, permissions: PermissionOptions | None) -> Login:
        login.rules = permissions
        login.permissions = compile_permissions(permissions)
        return login

    def renewed(self, login: Login) -> Login | None:
        """Find what a login of an earlier configuration is in this one; None when it is gone."""
        if login.label == "token":
            return self._token
        if login.public_key:
            return self._nkeys.get(login.name)
        is_single = self._single is not None and self._single.name == login.name
        return self._single if is_single else self._users.get(login.name)

    @property
    def is_required(self) -> bool:
        """Whether a client must show credentials, or become the no_auth_user."""
        return bool(self._users or self._nkeys or self._token or self._single)

    @property
    def wants_nonce(self) -> bool:
        """Whether INFO must carry a nonce to sign."""
        return bool(self._nkeys)

    @property
    def has_plain_passwords(self) -> bool:
        """Whether some password or token stands readable in the configuration."""
        logins = [*self._users.values(), self._token, self._single]
        return any(login is not None and login.secret and not is_bcrypt(login.secret) for login in logins)

    def find(
        self,
        connect: Connect,
        nonce: str,
        tls: TlsSession | None = None,
        note: Callable[[str], None] = lambda _: None,
    ) -> tuple[Login, str | None] | None:
        """Find the login that a CONNECT claims.

        Args:
            connect: What the client says.
            nonce: What it was asked to sign.
            tls: What its certificate says, where that counts.
            note: Takes a line for the debug log.

        Returns:
            The login, and the password still to be verified against its secret; no password when nothing is left to
            verify. None when no login is claimed, or one that does not exist or may not be used here.
        """
        found = self._claimed(connect, nonce, tls, note)
        return found if found is not None and found[0].is_admitted else None

    def _claimed(
        self, connect: Connect, nonce: str, tls: TlsSession | None, note: Callable[[str], None]
    ) -> tuple[Login, str | None] | None:
        if connect.nkey and self._nkeys:
            login = self._nkeys.get(connect.nkey)
            return (login, None) if login is not None and _signed(login.public_key, connect.sig, nonce) else None
        if self._certificates is not None:
            user = self._certificates.user_of(tls, note)
            return (self._users[user], connect.password) if user is not None else None
        if self.no_auth_login is not None and not connect.has_credentials:
            return self.no_auth_login, None
        if self._users:
            login = self._users.get(connect.user)
            return (login, connect.password) if login is not None else None
        if self._token is not None:
            return self._token, connect.auth_token
        if self._single is not None:
            if not hmac.compare_digest(self._single.name.encode(), connect.user.encode("utf-8", "replace")):
                return None
            return self._single, connect.password
        return None

    def failure_text(self, connect: Connect | None) -> str:
        """The line for the error log when credentials were refused; names who was claimed, never a secret."""
        if connect is not None and self._nkeys:
            return f"authentication error - Nkey {go_quote(connect.nkey.encode('utf-8', 'replace'))}"
        if connect is not None and connect.user and (self._users or self._single):
            return f"authentication error - User {go_quote(connect.user.encode('utf-8', 'replace'))}"
        if connect is not None and connect.auth_token:
            return 'authentication error - Token "[REDACTED]"'
        return "authentication error"


def _signed(public_key: bytes, signature: str, nonce: str) -> bool:
    from nacl.exceptions import BadSignatureError
    from nacl.exceptions import ValueError as NaclValueError
    from nacl.signing import VerifyKey

    try:
        # Clients send base64url without padding; nats-server takes the standard alphabet too.
        raw = base64.b64decode(
            signature.replace("-", "+").replace("_", "/") + "=" * (-len(signature) % 4), validate=True
        )
        VerifyKey(public_key).verify(nonce.encode(), raw)
    except (BadSignatureError, NaclValueError, binascii.Error, ValueError):
        return False
    return True
