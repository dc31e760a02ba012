"""How to reach a server and who to be there: one value, laid together from flags, environment and context."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from urllib.parse import SplitResult, unquote, urlsplit

from natsctl.errors import UsageError

__all__ = ["DEFAULT_TIMEOUT_S", "DEFAULT_URL", "Settings", "split_servers"]

DEFAULT_URL = "nats://127.0.0.1:4222"
DEFAULT_TIMEOUT_S = 5.0
DEFAULT_PORT = 4222

_CREDENTIALS = (("user", "password"), ("token",), ("creds",), ("nkey", "user_jwt"))
"""Ways to say who one is; the fields of one way belong together."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Connection settings; a field that is None is not decided here."""

    servers: tuple[str, ...] | None = None
    """``scheme://host:port`` without credentials; `split_servers` makes them."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    creds: str | None = field(default=None, repr=False)
    """Path of a credentials file, or its content."""
    nkey: str | None = field(default=None, repr=False)
    """Path of a file with an nkey seed, or the seed."""
    user_jwt: str | None = field(default=None, repr=False)
    """A user JWT; the seed that signs for it is ``nkey``."""
    tls_cert: str | None = None
    tls_key: str | None = None
    tls_ca: str | None = None
    tls_first: bool | None = None
    """TLS before the server's INFO."""
    timeout_s: float | None = None
    """Longest wait for a connection, an acknowledgement or a reply."""
    connection_name: str | None = None
    """What the server lists this connection as."""
    inbox_prefix: str | None = None

    def over(self, below: Settings) -> Settings:
        """Lay these settings over others, which fill what is undecided here.

        Whoever names credentials replaces those below: a token given on the command line is not mixed with the user
        of a context. Only user and password complete each other, unless they belong to different users.
        """
        decided = {item.name: getattr(self, item.name) for item in fields(self)}
        merged = {name: getattr(below, name) if value is None else value for name, value in decided.items()}
        ways = [way for way in _CREDENTIALS if any(decided[name] is not None for name in way)]
        if ways:
            foreign = {name for way in _CREDENTIALS if way not in ways for name in way}
            if self.user is not None and below.user not in (None, self.user) and self.password is None:
                foreign.add("password")
            merged |= dict.fromkeys(foreign)
        return Settings(**merged)

    def completed(self) -> Settings:
        """Decide the rest: the default server and timeout, and a user without password is a token."""
        settings = self.over(Settings(servers=(DEFAULT_URL,), timeout_s=DEFAULT_TIMEOUT_S))
        if settings.user is not None and settings.password is None:
            settings = replace(settings, user=None, token=settings.user)
        if settings.password is not None and settings.user is None:
            raise UsageError("a password without a user")
        return settings


def split_servers(urls: list[str]) -> Settings:
    """Read server addresses, each perhaps several with commas: ``nats://user:secret@host:port``, ``host``.

    Returns:
        Settings with the servers and, apart from them, the credentials their URLs carry.

    Raises:
        UsageError: An address cannot be meant, or two of them carry different credentials.
    """
    servers: list[str] = []
    logins: set[tuple[str, str | None]] = set()
    for text in (part.strip() for url in urls for part in url.split(",")):
        if text:
            # Any piece may be part of a password that holds a comma.
            shown = "with credentials" if any("@" in url for url in urls) else f'"{text}"'
            parts = _split_url(text, shown)
            if parts.username:
                logins.add((unquote(parts.username), None if parts.password is None else unquote(parts.password)))
            servers.append(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}")
    if not servers:
        return Settings()
    if len(logins) > 1:
        raise UsageError("the server addresses carry different credentials; connect to them one at a time")
    user, password = logins.pop() if logins else (None, None)
    return Settings(servers=tuple(servers), user=user, password=password)


def _split_url(text: str, shown: str) -> SplitResult:
    hint = "write for example nats://host:4222"
    try:
        parts = urlsplit(text if "://" in text else f"nats://{text}")
        port = parts.port
    except ValueError:
        raise UsageError(f"invalid server address {shown}", hint=hint) from None
    if parts.scheme not in ("nats", "tls"):
        raise UsageError(f"unknown scheme in server address {shown}", hint="natsctl connects to nats:// and tls://")
    if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise UsageError(f"invalid server address {shown}", hint=hint)
    if port is None:
        parts = parts._replace(netloc=f"{parts.netloc.rstrip(':')}:{DEFAULT_PORT}")
    return parts
