"""What a reload may change: every option of a broker, by what becomes of a new value while it runs.

The table is in the order in which nats-server looks at its options: its lines come in this order, and the first option
that cannot change is the one it names.

Source: nats-server ``server/reload.go`` (diffOptions), ``server/opts.go`` (Options).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any

from natsctl.config.options import LogOptions, Options, User
from natsctl.errors import ReloadError
from natsctl.units import format_duration

__all__ = ["SETTINGS", "Change", "Setting", "diff", "unlisted"]

_NO_TLS_TIMEOUT_S = 2.0
_SECRET = "…"
"""Stands for a value that may hold passwords."""
_OF_THE_FILE = ("config_file", "config_digest")


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table.

    Attributes:
        path: The option, dotted; with all that is below it.
        field: nats-server's name for it, where only a restart changes it.
        of: Takes the value from options.
        say: Makes the line for the log from the new value, empty for none; None where only a restart changes it.
        differs: Tells whether it changes, where that is more than another value.
    """

    path: str
    field: str
    of: Callable[[Options], Any]
    say: Callable[[Any], str] | None = None
    differs: Callable[[Options, Options], bool] | None = None

    def changes(self, old: Options, new: Options) -> bool:
        """Whether the options differ in it."""
        if self.differs is not None:
            return self.differs(old, new)
        return bool(self.of(old) != self.of(new))


@dataclass(frozen=True, slots=True)
class Change:
    """An option that changes.

    Attributes:
        path: The option, as in the table.
        message: The line for the log; may be empty.
    """

    path: str
    message: str


def _plain(value: Any) -> str:
    """Write a value as Go does."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _fixed(path: str, field: str, of: Callable[[Options], Any] | None = None) -> Setting:
    """Make a setting that only a restart changes."""
    return Setting(path, field, of or attrgetter(path))


def _live(
    path: str, message: str, of: Callable[[Options], Any] | None = None, *, write: Callable[[Any], str] = _plain
) -> Setting:
    """Make a setting that a running broker takes over, with its message."""
    return Setting(path, "", of or attrgetter(path), lambda value: message.format(write(value)))


def _always(path: str, message: str) -> Setting:
    """Make a setting that counts as changed each time: nats-server says so, and scripts wait for the line."""
    return Setting(path, "", attrgetter(path), lambda _: message, lambda *_: True)


def _duration(path: str) -> Callable[[Options], str]:
    get = attrgetter(path)
    return lambda options: format_duration(get(options))


def _of_tls(attribute: str, without: Any) -> Callable[[Options], Any]:
    return lambda options: without if options.tls is None else getattr(options.tls, attribute)


def _http_host(options: Options) -> str:
    return options.http_host or options.host


def _cluster_host(options: Options) -> str:
    return (options.cluster.host or "0.0.0.0") if options.cluster.is_on else ""


def _cluster_differs(old: Options, new: Options) -> bool:
    """Whether anything but the routes does; the files of TLS may have changed under the same names."""
    return new.cluster.tls is not None or replace(old.cluster, routes=[]) != replace(new.cluster, routes=[])


def _leafnodes_differ(old: Options, new: Options) -> bool:
    """Whether more changes than which hubs there are, and which of them are disabled."""
    before = {remote.identity: replace(remote, disabled=False) for remote in old.leafnodes.remotes}
    after = {remote.identity: replace(remote, disabled=False) for remote in new.leafnodes.remotes}
    stays = before.keys() & after.keys()
    return replace(old.leafnodes, remotes=[]) != replace(new.leafnodes, remotes=[]) or any(
        before[identity] != after[identity] for identity in stays
    )


def _users(options: Options) -> list[User]:
    return [*options.authorization.users, *(user for account in options.accounts for user in account.users)]


def _no_auth_user_differs(old: Options, new: Options) -> bool:
    """Whether it is another one; it may go together with the user of that name."""
    before, after = old.no_auth_user, new.no_auth_user
    return before != after and (bool(after) or before in {user.user for user in _users(new)})


def _pins(options: Options) -> frozenset[str]:
    return frozenset(pin.lower() for pin in options.tls.pinned_certs) if options.tls is not None else frozenset()


def _fallback(options: Options) -> str:
    has_fallback = options.tls is not None and not options.tls.is_always_first
    return format_duration(options.tls.handshake_first_s if options.tls is not None and has_fallback else 0.0)


SETTINGS: Sequence[Setting] = (
    _fixed("server_name", "ServerName"),
    _fixed("host", "Host"),
    _fixed("port", "Port"),
    _live("client_advertise", "Reload: client_advertise = {}"),
    _live("log.trace", "Reloaded: trace = {}"),
    _live("log.debug", "Reloaded: debug = {}"),
    _live("log.trace_verbose", "Reloaded: trace_verbose = {}"),
    _live("log.trace_headers", "Reloaded: trace_headers = {}"),
    _fixed("disable_sublist_cache", "NoSublistCache"),
    _fixed("no_header_support", "NoHeaderSupport"),
    _live("log.logtime", "Reloaded: logtime = {}"),
    _live("log.logtime_utc", "Reloaded: logtime_utc = {}"),
    _live("max_connections", "Reloaded: max_connections = {}"),
    _fixed("max_subscriptions", "MaxSubs"),
    _fixed("max_sub_tokens", "MaxSubTokens"),
    _live(
        "authorization.users.nkey",
        "Reloaded: authorization nkey users",
        lambda options: [user for user in _users(options) if user.nkey],
    ),
    _always("authorization", "Reloaded: authorization users"),
    _always("accounts", "Reloaded: accounts"),
    Setting("no_auth_user", "NoAuthUser", attrgetter("no_auth_user"), None, _no_auth_user_differs),
    _fixed("system_account", "SystemAccount"),
    _fixed("no_system_account", "NoSystemAccount"),
    _live("authorization.user", "Reloaded: authorization username"),
    _live("authorization.password", "Reloaded: authorization password"),
    _live("authorization.token", "Reloaded: authorization token"),
    _live("ping_interval_s", "Reloaded: ping_interval = {}", write=format_duration),
    _live("ping_max", "Reloaded: ping_max = {}"),
    _fixed("http_host", "HTTPHost", _http_host),
    _fixed("http_port", "HTTPPort"),
    _fixed("http_base_path", "HTTPBasePath"),
    _fixed("https_port", "HTTPSPort"),
    _live("auth_timeout_s", "Reloaded: authorization timeout = {}"),
    _live("max_control_line", "Reloaded: max_control_line = {}"),
    _live("max_payload", "Reloaded: max_payload = {}"),
    _fixed("max_pending", "MaxPending"),
    _live(
        "no_fast_producer_stall",
        "Reloaded: fast producers will {}be stalled",
        write=lambda drops: "not " if drops else "",
    ),
    _fixed("cluster.host", "cluster host", _cluster_host),
    _fixed("cluster.port", "cluster port"),
    Setting("leafnodes", "LeafNode", lambda _: _SECRET, differs=_leafnodes_differ),
    Setting("leafnodes.remotes", "", attrgetter("leafnodes.remotes"), lambda _: ""),
    Setting("cluster", "", attrgetter("cluster"), lambda _: "Reloaded: cluster", _cluster_differs),
    Setting("pid_file", "", attrgetter("pid_file"), lambda path: f"Reloaded: pid_file = {path}" if path else ""),
    _live("ports_file_dir", "Reloaded: ports_file_dir = {}"),
    _live("log.log_file", "Reloaded: log_file = {}"),
    _fixed("log.logfile_size_limit", "LogSizeLimit"),
    _fixed("log.logfile_max_num", "LogMaxFiles"),
    _live("log.syslog", "Reloaded: syslog = {}"),
    _live("log.remote_syslog", "Reloaded: remote_syslog = {}"),
    _live("cluster.routes", "Reloaded: cluster routes"),
    _live("tls.timeout_s", "Reloaded: tls timeout = {}", _of_tls("timeout_s", _NO_TLS_TIMEOUT_S)),
    _fixed("tls.verify_and_map", "TLSMap", _of_tls("verify_and_map", False)),
    Setting(
        "tls",
        "",
        attrgetter("tls"),
        lambda tls: f"Reloaded: tls = {'disabled' if tls is None else 'enabled'}",
        lambda old, new: not old.tls is new.tls is None,  # the files may have changed under the same names
    ),
    _live("tls.pinned_certs", "Reloaded: {} pinned_certs", _pins, write=lambda pins: str(len(pins))),
    _fixed("tls.connection_rate_limit", "TLSRateLimit", _of_tls("connection_rate_limit", 0)),
    _live(
        "tls.handshake_first_s",
        "Reloaded: Client TLS handshake first: {}",
        lambda options: options.tls is not None and options.tls.handshake_first_s != 0,
    ),
    _live("tls.handshake_first_s", "Reloaded: Client TLS handshake first fallback delay: {}", _fallback),
    _fixed("allow_non_tls", "AllowNonTLS"),
    _live("write_deadline_s", "Reloaded: write_deadline = {}", write=format_duration),
    _fixed(
        "write_timeout",
        "WriteTimeout",
        lambda options: "" if options.write_timeout == "default" else options.write_timeout,
    ),
    _fixed("max_closed_clients", "MaxClosedClients"),
    _fixed("lame_duck_duration_s", "LameDuckDuration", _duration("lame_duck_duration_s")),
    _fixed("lame_duck_grace_period_s", "LameDuckGracePeriod", _duration("lame_duck_grace_period_s")),
    _live("log.max_traced_msg_len", "Reloaded: max_traced_msg_len = {}"),
    _live("connect_error_reports", "Reloaded: connect_error_reports = {}"),
    _live("reconnect_error_reports", "Reloaded: reconnect_error_reports = {}"),
    _live("server_tags", "Reloaded: tags"),
    _live("server_metadata", "Reloaded: metadata"),
)
"""Every option; one that is missing here cannot change either."""


def diff(old: Options, new: Options) -> list[Change]:
    """Compare what holds with what shall hold.

    Raises:
        ReloadError: An option differs that only a restart changes.
    """
    changes = []
    for setting in SETTINGS:
        if not setting.changes(old, new):
            continue
        value = setting.of(new)
        if setting.say is None:
            raise ReloadError(setting.field, _plain(setting.of(old)), _plain(value))
        changes.append(Change(setting.path, setting.say(value)))
    for path in unlisted():
        before, after = attrgetter(path)(old), attrgetter(path)(new)
        if before != after:
            raise ReloadError(path, _SECRET, _SECRET)
    return changes


def unlisted() -> list[str]:
    """Name the options that no line of the table is about."""
    paths = [field.name for field in fields(Options) if field.name not in ("log", *_OF_THE_FILE)]
    paths += [f"log.{field.name}" for field in fields(LogOptions)]
    listed = {setting.path for setting in SETTINGS}
    return [path for path in paths if path not in listed]
