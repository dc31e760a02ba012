"""The top level of a configuration: every key of the server, and the options they make.

Source: nats-server ``server/opts.go``, processConfigFileLine.
"""

from __future__ import annotations

from natsctl.config.accounts import AccountSection, accounts
from natsctl.config.document import Node
from natsctl.config.jetstream import jetstream
from natsctl.config.leafnodes import fill_leafnodes, leafnodes
from natsctl.config.links import LISTEN, cluster, fill_cluster, gateway, write_timeout
from natsctl.config.listeners import mqtt, websocket
from natsctl.config.mappings import mappings
from natsctl.config.options import Options
from natsctl.config.readers import (
    INT32_MAX,
    boolean,
    duration,
    duration_text,
    host_port,
    integer,
    integer_between,
    name_without_blanks,
    string,
    string_or_strings,
    table,
    unlimited_at_zero,
    unlimited_below_zero,
)
from natsctl.config.schema import Block, Key, RefusedError, Report, Section
from natsctl.config.tls import tls, tls_options
from natsctl.config.trust import ocsp, ocsp_cache, operators, proxies, resolver, resolver_preload, trusted_keys
from natsctl.config.users import authorization, check_callout, check_logins, check_unique

__all__ = ["SERVER", "read_options"]

_MIN_LAME_DUCK_S = 30.0
_INT64_MIN = -(2**63)
_below_2_gib = integer_between(_INT64_MIN, INT32_MAX)


def _max_payload(node: Node, report: Report) -> int:
    _below_2_gib(node, report)
    return unlimited_below_zero(node, report)


def _max_subscriptions(node: Node, report: Report) -> int:
    return max(integer(node, report), 0)


def _tags(node: Node, report: Report) -> list[str]:
    tags = (tag.strip().lower() for tag in string_or_strings(node, report))
    return list(dict.fromkeys(tag for tag in tags if tag))


def _lame_duck_duration(node: Node, report: Report) -> float:
    value = duration_text(node, report)
    if value < _MIN_LAME_DUCK_S:
        raise RefusedError(f"must be at least {_MIN_LAME_DUCK_S:g} s, found {value:g} s")
    return value


def _not_negative(node: Node, report: Report) -> float:
    value = duration_text(node, report)
    if value < 0:
        raise RefusedError(f"must not be negative, found {value:g} s")
    return value


SERVER = Block(
    *LISTEN,
    Key("client_advertise", string, to="client_advertise"),
    Key("server_name", name_without_blanks, to="server_name"),
    Key("server_tags", _tags, to="server_tags"),
    Key("server_metadata", table(string), to="server_metadata"),
    # logs and files
    Key("debug", boolean, to="log.debug"),
    Key("trace", boolean, to="log.trace"),
    Key("trace_verbose", boolean, to="log.trace_verbose"),
    Key("trace_headers", boolean, to="log.trace_headers"),
    Key("logtime", boolean, to="log.logtime"),
    Key("logtime_utc", boolean, to="log.logtime_utc"),
    Key("log_file", string, ("logfile",), to="log.log_file"),
    Key("logfile_size_limit", integer, ("log_size_limit",), to="log.logfile_size_limit"),
    Key("logfile_max_num", integer, ("log_max_num",), to="log.logfile_max_num"),
    Key("syslog", boolean, to="log.syslog"),
    Key("remote_syslog", string, to="log.remote_syslog"),
    Key("max_traced_msg_len", integer, to="log.max_traced_msg_len"),
    Key("pid_file", string, ("pidfile",), to="pid_file"),
    Key("ports_file_dir", string, to="ports_file_dir"),
    # limits
    Key("max_connections", unlimited_at_zero, ("max_conn",), to="max_connections"),
    Key("max_subscriptions", _max_subscriptions, ("max_subs",), to="max_subscriptions"),
    Key("max_sub_tokens", integer_between(1, 255), ("max_subscription_tokens",), to="max_sub_tokens"),
    Key("max_control_line", _below_2_gib, to="max_control_line", zero_is_default=True),
    Key("max_payload", _max_payload, to="max_payload", zero_is_default=True),
    Key("max_pending", integer, to="max_pending", zero_is_default=True),
    Key("max_closed_clients", integer, to="max_closed_clients", zero_is_default=True),
    Key("ping_interval", duration, to="ping_interval_s", zero_is_default=True),
    Key("ping_max", integer, to="ping_max", zero_is_default=True),
    Key("write_deadline", duration, to="write_deadline_s", zero_is_default=True),
    Key("write_timeout", write_timeout, to="write_timeout"),
    Key("lame_duck_duration", _lame_duck_duration, to="lame_duck_duration_s"),
    Key("lame_duck_grace_period", _not_negative, to="lame_duck_grace_period_s"),
    Key("no_header_support", boolean, to="no_header_support"),
    Key("no_fast_producer_stall", boolean, to="no_fast_producer_stall"),
    Key("disable_sublist_cache", boolean, ("no_sublist_cache",), to="disable_sublist_cache"),
    Key("feature_flags", table(boolean)),
    # who may connect
    Key("authorization", authorization),
    Key("accounts", accounts),
    Key("no_auth_user", string, to="no_auth_user"),
    Key("system_account", string, ("system",), to="system_account"),
    Key("no_system_account", boolean, ("no_system", "no_sys_acc"), to="no_system_account"),
    Key("mappings", mappings, ("maps",)),
    Key("proxies", proxies),
    Key("proxy_protocol", boolean),
    # operator mode
    Key("operator", operators, ("operators", "root", "roots", "root_operator", "root_operators")),
    Key("resolver", resolver, ("account_resolver", "accounts_resolver")),
    Key("resolver_tls", tls()),
    Key("resolver_preload", resolver_preload),
    Key("resolver_pinned_accounts", string_or_strings),
    Key("trusted_keys", trusted_keys, ("trusted",)),
    Key("default_sentinel", string),
    # encryption
    Key("tls", tls()),
    Key("allow_non_tls", boolean, to="allow_non_tls"),
    Key("ocsp", ocsp),
    Key("ocsp_cache", ocsp_cache),
    # monitoring
    Key("http", host_port),
    Key("https", host_port),
    Key("http_port", integer, ("monitor_port",), to="http_port", zero_is_default=True),
    Key("https_port", integer, to="https_port", zero_is_default=True),
    Key("http_base_path", string, to="http_base_path"),
    Key("prof_port", integer),
    Key("prof_block_rate", integer),
    # other servers and protocols
    Key("cluster", cluster),
    Key("leafnodes", leafnodes, ("leaf",)),
    Key("gateway", gateway),
    Key("websocket", websocket, ("ws",)),
    Key("mqtt", mqtt),
    Key("connect_error_reports", integer, to="connect_error_reports", zero_is_default=True),
    Key("reconnect_error_reports", integer, to="reconnect_error_reports", zero_is_default=True),
    Key("jetstream", jetstream),
    Key("store_dir", string, ("storedir",)),
    Key("default_js_domain", table(string)),
)
"""Every key that may stand at the top level of a configuration."""


def read_options(document: Node, report: Report) -> Options:
    """Read a whole document; what is wrong with it is in the report afterwards."""
    options = Options()
    section = SERVER(document, report)
    _listen_for_monitoring(section, options)
    section.fill(options)
    if options.log.trace_verbose or options.log.trace_headers:
        options.log.trace = True
    _listen(section, options)
    if "tls" in section:
        options.tls = tls_options(section.get("tls"), report)
    if "cluster" in section:
        fill_cluster(options.cluster, section.get("cluster"), report)
    if "leafnodes" in section:
        fill_leafnodes(options.leafnodes, section.get("leafnodes"), report)
    login = section.get("authorization")
    if login is not None:
        login.fill(options.authorization)
    found = section.get("accounts", [])
    if login is not None and "auth_callout" in login:
        check_callout(login.get("auth_callout"), {account.options.name for account in found}, report)
    options.accounts = [account.options for account in found]
    _check_accounts(found, options, report)
    return options


def _listen(section: Section, options: Options) -> None:
    address = section.get("listen")
    host = section.get("host") or (address.host if address else "")
    port = section.get("port") or (address.port if address else 0)
    options.host = host or options.host
    options.port = port or options.port


def _listen_for_monitoring(section: Section, options: Options) -> None:
    if "http" in section:
        options.http_host, options.http_port = section.get("http")
    if "https" in section:
        options.http_host, options.https_port = section.get("https")


def _check_accounts(found: list[AccountSection], options: Options, report: Report) -> None:
    known = {user.nkey or user.user for user in options.authorization.users}
    for account in found:
        place = account.section.place_of("users")
        if "users" in account.section:
            check_logins(options.authorization, place, report)
        check_unique(known, account.options.users, place, report)
