"""What a broker can be told: one typed value, made from flags, from ``nats.conf`` or in Python.

Source: nats-server 2.15 configuration keys and their defaults.
Units: durations end ``_s`` (seconds, float), sizes in bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

__all__ = [
    "AccountLimits",
    "AccountOptions",
    "AuthorizationOptions",
    "ClusterOptions",
    "LeafOptions",
    "LeafUser",
    "LogOptions",
    "Options",
    "Permission",
    "Permissions",
    "RemoteOptions",
    "ResponsePermission",
    "TlsCertificate",
    "TlsOptions",
    "User",
]

UNLIMITED = -1
"""A limit that is switched off."""
_AUTH_TIMEOUT_S = 2.0


@dataclass(slots=True)
class Permission:
    """Subjects that may, and that may not, be used in one direction.

    An ``allow`` of None allows everything that is not denied; an empty list allows nothing. Subscribe entries may be
    ``"subject queue"``.
    """

    allow: list[str] | None = None
    deny: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ResponsePermission:
    """The right to answer requests: up to ``max_msgs`` messages to a reply subject within ``expires_s``."""

    max_msgs: int = 1
    """Negative: no limit."""
    expires_s: float = 120.0
    """Negative: no limit."""


@dataclass(slots=True)
class Permissions:
    """What a user may publish and subscribe to."""

    publish: Permission = field(default_factory=Permission)
    subscribe: Permission = field(default_factory=Permission)
    allow_responses: ResponsePermission | None = None


@dataclass(slots=True)
class User:
    """One login: a name with a password (plain or bcrypt), or the public nkey of a user."""

    user: str = ""
    password: str = field(default="", repr=False)
    nkey: str = ""
    permissions: Permissions | None = None
    allowed_connection_types: list[str] = field(default_factory=list)
    """Upper-case names such as ``STANDARD``; empty allows every type."""


@dataclass(slots=True)
class AuthorizationOptions:
    """The ``authorization`` block: one user, a token, or a list of users of the global account."""

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    timeout_s: float = 0.0
    """0 is the default; see :attr:`Options.auth_timeout_s`."""
    users: list[User] = field(default_factory=list)
    default_permissions: Permissions | None = None


@dataclass(slots=True)
class AccountLimits:
    """Limits of one account; ``UNLIMITED`` where none is set."""

    max_connections: int = UNLIMITED
    max_subscriptions: int = UNLIMITED
    max_payload: int = UNLIMITED
    max_leafnodes: int = UNLIMITED


@dataclass(slots=True)
class AccountOptions:
    """One entry of ``accounts``: an isolated subject space with its users."""

    name: str = ""
    users: list[User] = field(default_factory=list)
    limits: AccountLimits = field(default_factory=AccountLimits)
    default_permissions: Permissions | None = None


@dataclass(slots=True)
class LogOptions:
    """Where log lines go and which ones are written."""

    debug: bool = False
    trace: bool = False
    trace_verbose: bool = False
    """Also trace the system account."""
    trace_headers: bool = False
    """Trace only the headers of messages that have some, not the payload."""
    logtime: bool = True
    logtime_utc: bool = False
    log_file: str = ""
    logfile_size_limit: int = 0
    """Bytes after which the file is rotated; 0 never."""
    logfile_max_num: int = 0
    """Files kept, the live one included; 0 keeps all."""
    syslog: bool = False
    remote_syslog: str = ""
    """``udp://host:514`` and the like; empty: the local daemon."""
    max_traced_msg_len: int = 0
    """Bytes of a payload shown in a trace line; 0 shows all."""


@dataclass(slots=True)
class TlsCertificate:
    """A certificate, with its chain behind it, and its private key: two PEM files."""

    cert_file: str = ""
    key_file: str = ""


@dataclass(slots=True)
class TlsOptions:
    """The ``tls`` block: how clients reach the broker encrypted.

    Units: ``timeout_s`` is for one handshake; ``connection_rate_limit`` counts handshakes per second.
    """

    certificates: list[TlsCertificate] = field(default_factory=list)
    """The first one that has the name a client asks for is shown, or else the first."""
    ca_file: str = ""
    """Who signs the certificates of clients; empty: whom the system trusts."""
    verify: bool = False
    """Whether a client must show a certificate."""
    verify_and_map: bool = False
    """Whether that certificate is its login."""
    pinned_certs: list[str] = field(default_factory=list)
    """Hex SHA-256 of the public keys that clients may have; empty allows all."""
    timeout_s: float = 2.0
    handshake_first_s: float = 0.0
    """How long a client may begin with TLS before INFO is sent in clear; ``math.inf`` never sends it in clear."""
    connection_rate_limit: int = 0
    """0 is no limit."""
    min_version: str = "1.2"
    cipher_suites: list[str] = field(default_factory=list)
    """Registered names of TLS 1.2 suites; empty: all that are secure."""
    curve_preferences: list[str] = field(default_factory=list)
    insecure: bool = False
    """Whether a server that is connected to need not prove who it is."""

    @property
    def wants_certificate(self) -> bool:
        """Whether clients are asked for a certificate."""
        return self.verify or self.verify_and_map

    @property
    def is_always_first(self) -> bool:
        """Whether nothing is sent in clear."""
        return self.handshake_first_s == math.inf


@dataclass(slots=True)
class ClusterOptions:
    """The ``cluster`` block: where other servers of the cluster connect, and which ones the broker connects to.

    Units: timeouts, intervals and deadlines in seconds.
    """

    name: str = ""
    """Empty: a random one, until a server with another one is met."""
    host: str = ""
    """Empty: all addresses."""
    port: int = 0
    """0 takes no routes, -1 picks a free port."""
    user: str = ""
    """What other servers log in as, and the broker at those it hears of; empty: nobody need log in."""
    password: str = field(default="", repr=False)
    timeout_s: float = 0.0
    """Of the login; 0: 2 s, or with TLS a second more than a handshake may take."""
    routes: list[str] = field(default_factory=list, repr=False)
    """URLs, which may hold passwords."""
    tls: TlsOptions | None = None
    knows_urls: bool = False
    """Whether a certificate must be for the host of one of the routes."""
    advertise: str = ""
    """``host[:port]`` told to other servers instead of the address listened on."""
    no_advertise: bool = False
    """Whether clients are told of this server alone."""
    connect_retries: int = 0
    """Further attempts to reach a server that another one told of."""
    connect_backoff: bool = False
    """Whether attempts become rarer, up to every 30 s."""
    permissions: Permissions | None = None
    """What comes from (publish) and goes to (subscribe) other servers."""
    ping_interval_s: float = 0.0
    """0: that of clients; never more than 30 s."""
    ping_max: int = 0
    """0: that of clients."""
    write_deadline_s: float = 0.0
    """0: that of clients."""
    write_timeout: str = "default"
    """``default`` and ``retry`` let a slow route go on while it takes something; ``close`` cuts it."""

    @property
    def is_on(self) -> bool:
        """Whether there is a cluster."""
        return self.port != 0

    @property
    def knows_certificates(self) -> bool:
        """Whether a server logs in by its certificate."""
        return self.tls is not None and (self.knows_urls or self.tls.verify_and_map)

    @property
    def auth_timeout_s(self) -> float:
        """How long a server may take to log in."""
        if self.timeout_s:
            return self.timeout_s
        return self.tls.timeout_s + 1 if self.tls is not None else _AUTH_TIMEOUT_S


@dataclass(slots=True)
class LeafUser:
    """A login of leafnodes alone, and the account that they are bound to; empty is the global one."""

    user: str = ""
    password: str = field(default="", repr=False)
    account: str = ""


@dataclass(slots=True)
class RemoteOptions:
    """A hub that the broker connects to as a leafnode.

    Units: timeouts in seconds.
    """

    urls: list[str] = field(default_factory=list)
    """Servers of the hub, perhaps with ``user:password@`` or ``token@``."""
    account: str = ""
    """Of this side; empty is the global one."""
    credentials: str = ""
    """Path of a file with a user's JWT and seed."""
    nkey: str = field(default="", repr=False)
    """Seed of a user's nkey."""
    tls: TlsOptions | None = None
    deny_imports: list[str] = field(default_factory=list)
    """Subjects that the hub must not send."""
    deny_exports: list[str] = field(default_factory=list)
    """Subjects that are not sent to the hub."""
    no_randomize: bool = False
    """Try the servers in the order in which they are given."""
    ignore_discovered_servers: bool = False
    """Do without the servers that the hub tells of."""
    first_info_timeout_s: float = 1.0
    dial_timeout_s: float = 0.0
    """0: that of all remotes."""
    disabled: bool = False

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes it the same hub when its options are read again."""
        return (self.account or "$G", *sorted(self.urls))


@dataclass(slots=True)
class LeafOptions:
    """The ``leafnodes`` block: who may connect as a leafnode, and the hubs that the broker connects to itself.

    Units: timeouts, delays and deadlines in seconds.
    """

    host: str = ""
    port: int = 0
    """0 takes no leafnodes, -1 picks a free port."""
    user: str = ""
    password: str = field(default="", repr=False)
    nkey: str = ""
    """Public key that leafnodes must prove to have the seed of."""
    account: str = ""
    """What a leafnode is bound to that logs in by ``user`` or ``nkey``, or need not log in."""
    users: list[LeafUser] = field(default_factory=list)
    """Without these, ``user`` and ``nkey`` the users of clients log in."""
    timeout_s: float = 0.0
    """Of the login; 0 is the default, see :attr:`auth_timeout_s`."""
    tls: TlsOptions | None = None
    advertise: str = ""
    no_advertise: bool = False
    min_version: str = ""
    """Release of nats-server that leafnodes must speak at least."""
    remotes: list[RemoteOptions] = field(default_factory=list)
    reconnect_s: float = 1.0
    dial_timeout_s: float = 1.0
    write_deadline_s: float = 0.0
    """0: that of clients."""
    write_timeout: str = "default"
    """``default`` and ``retry`` let a slow leafnode go on while it takes something; ``close`` cuts it."""

    @property
    def auth_timeout_s(self) -> float:
        """How long a leafnode may take to log in: as long as clients by default."""
        if self.timeout_s:
            return self.timeout_s
        return self.tls.timeout_s + 1 if self.tls is not None else _AUTH_TIMEOUT_S


@dataclass(slots=True)
class Options:
    """Everything a broker needs to start.

    ``Options()`` is what nats-server does without a configuration file.
    """

    host: str = "0.0.0.0"
    port: int = 4222
    """-1 picks a free port."""
    client_advertise: str = ""
    """``host[:port]`` told to clients in INFO instead of the address listened on."""
    server_name: str = ""
    """Empty: the server id."""
    server_tags: list[str] = field(default_factory=list)
    server_metadata: dict[str, str] = field(default_factory=dict)

    http_host: str = ""
    """Empty: where clients connect."""
    http_port: int = 0
    """Monitoring over HTTP; 0 serves none, -1 picks a free port."""
    https_port: int = 0
    """The same over TLS, with the certificate that clients see; only one of the two can be served."""
    http_base_path: str = ""
    """What the path of every monitoring page begins with, such as ``/nats``."""

    log: LogOptions = field(default_factory=LogOptions)
    pid_file: str = ""
    ports_file_dir: str = ""

    max_connections: int = 65536
    max_subscriptions: int = 0
    """Per connection; 0 is no limit."""
    max_sub_tokens: int = 0
    """Tokens in the subject of a subscription; 0 is no limit."""
    max_control_line: int = 4096
    max_payload: int = 1048576
    """-1 is no limit."""
    max_pending: int = 67108864
    max_closed_clients: int = 10000
    ping_interval_s: float = 120.0
    ping_max: int = 2
    write_deadline_s: float = 10.0
    write_timeout: str = "default"
    """``default`` and ``close`` cut a client that misses the write deadline; ``retry`` lets it go on."""
    lame_duck_duration_s: float = 120.0
    """How long lame duck mode takes, from the first word to the last connection."""
    lame_duck_grace_period_s: float = 10.0
    """How long of that clients may leave by themselves."""

    tls: TlsOptions | None = None
    """None serves clients in clear."""
    allow_non_tls: bool = False
    """Whether clients may do without TLS."""

    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    leafnodes: LeafOptions = field(default_factory=LeafOptions)
    connect_error_reports: int = 3600
    """Of so many failed attempts to reach another server for the first time one is logged."""
    reconnect_error_reports: int = 1
    """The same for a server that was reached before."""

    authorization: AuthorizationOptions = field(default_factory=AuthorizationOptions)
    accounts: list[AccountOptions] = field(default_factory=list)
    no_auth_user: str = ""
    """User (or nkey) a connection without credentials becomes."""
    system_account: str = ""
    """Empty: ``$SYS``."""
    no_system_account: bool = False

    no_header_support: bool = False
    no_fast_producer_stall: bool = False
    disable_sublist_cache: bool = False

    config_file: str = ""
    """Path as given; empty without a file."""
    config_digest: str = ""
    """``sha256:<hex>`` of the parsed file."""

    @property
    def is_tls_required(self) -> bool:
        """Whether clients must use TLS."""
        return self.tls is not None and (self.tls.is_always_first or not self.allow_non_tls)

    @property
    def auth_timeout_s(self) -> float:
        """How long a client may take to log in: what is configured, or 2 s, or with TLS a second more than that may."""
        if self.authorization.timeout_s:
            return self.authorization.timeout_s
        return self.tls.timeout_s + 1 if self.tls is not None else _AUTH_TIMEOUT_S
