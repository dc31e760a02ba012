"""Reads the blocks that link servers: ``cluster``, ``leafnodes`` and ``gateway``.

Source: nats-server ``server/opts.go``, parseCluster, parseLeafNodes and parseGateway.
"""

from __future__ import annotations

import base64
import binascii
import re

from natsctl.config.document import Node
from natsctl.config.permissions import permissions, subjects
from natsctl.config.readers import (
    boolean,
    choice,
    duration,
    duration_text,
    each,
    host_port,
    integer,
    name_without_blanks,
    nkey,
    string,
    string_or_strings,
    timeout,
)
from natsctl.config.schema import Block, Key, Reader, RefusedError, Report, Section
from natsctl.config.tls import tls
from natsctl.config.urls import is_url, url, warn_of_duplicates
from natsctl.config.users import single_login
from natsctl.config.words import kind, quoted
from natsctl.protocol.nkey import USER

__all__ = ["LISTEN", "cluster", "gateway", "leafnodes", "write_timeout"]

_MAX_ROUTE_PING_S = 30.0
_MIN_LEAF_VERSION = (2, 8, 0)
_SEMVER = re.compile(r"v?([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
_PROXY_URL = re.compile(r"https?://(?:[^/?#@]*@)?[^/?#@:]")
_SEED_PREFIXES = ("SU", "SA", "SO", "SN", "SC", "SX")

write_timeout = choice("default", "close", "retry")
"""Reads what happens to a connection that misses the write deadline."""

LISTEN = (
    Key("listen", host_port),
    Key("host", string, ("net",)),
    Key("port", integer),
)
"""The keys every listener has."""

_urls = each(url, "urls")


def _url_list(what: str) -> Reader:
    """Make a reader of arrays of URLs that should differ."""

    def read(node: Node, report: Report) -> list[str]:
        found: list[str] = _urls(node, report)
        warn_of_duplicates(found, what, node.place, report)
        return found

    return read


def _url_or_list(what: str) -> Reader:
    many = _url_list(what)

    def read(node: Node, report: Report) -> list[str]:
        return [url(node, report)] if isinstance(node.value, str) else many(node, report)

    return read


_COMPRESSION = Block(
    Key("mode", string),
    Key("rtt_thresholds", each(duration_text, "thresholds"), ("thresholds", "rtts", "rtt")),
)


def _compression(node: Node, report: Report) -> object:
    if isinstance(node.value, bool | str):
        return node.value
    if not isinstance(node.value, dict):
        raise RefusedError(f"must be a boolean, a mode or a map, found {kind(node.value)}")
    return _COMPRESSION(node, report)


# --- cluster ---------------------------------------------------------------------------------------------------------


def _route_permissions(node: Node, report: Report) -> object:
    read = permissions(node, report)
    if read.allow_responses is not None:
        raise RefusedError("must not have allow_responses in a cluster")
    return read


def _route_ping(node: Node, report: Report) -> float:
    value = duration(node, report)
    if value > _MAX_ROUTE_PING_S:
        report.warn(node.place, f"routes are pinged at least every {_MAX_ROUTE_PING_S:g} s, {value:g} s is not used")
    return value


cluster = Block(
    Key("name", name_without_blanks),
    *LISTEN,
    Key("authorization", single_login("cluster", permissions_are_deprecated=True)),
    Key("routes", _url_list("route")),
    Key("tls", tls(knows_urls=True)),
    Key("advertise", string, ("cluster_advertise",)),
    Key("no_advertise", boolean),
    Key("connect_retries", integer),
    Key("connect_backoff", boolean),
    Key("permissions", _route_permissions),
    Key("pool_size", integer),
    Key("accounts", string_or_strings),
    Key("compression", _compression),
    Key("ping_interval", _route_ping),
    Key("ping_max", integer),
    Key("write_deadline", duration),
    Key("write_timeout", write_timeout),
)
"""Reads the ``cluster`` block."""


# --- leafnodes -------------------------------------------------------------------------------------------------------


def _leaf_version(node: Node, report: Report) -> str:
    text = string(node, report)
    version = _SEMVER.fullmatch(text)
    if version is None:
        raise RefusedError(f"must be a version such as 2.9.0, found {quoted(text)}")
    if tuple(map(int, version.groups())) < _MIN_LEAF_VERSION:
        raise RefusedError(f"must be at least {'.'.join(map(str, _MIN_LEAF_VERSION))}, found {quoted(text)}")
    return text


_LEAF_USER = Block(
    Key("user", string, ("username",)),
    Key("password", string, ("pass",)),
    Key("account", string),
    Key("proxy_required", boolean),
)

_LEAF_AUTHORIZATION = Block(
    Key("user", string, ("username",)),
    Key("password", string, ("pass",)),
    Key("nkey", nkey(USER, "a user")),
    Key("account", string),
    Key("timeout", timeout),
    Key("users", each(_LEAF_USER, "users")),
    Key("proxy_required", boolean),
)


def _leaf_authorization(node: Node, report: Report) -> Section:
    section = _LEAF_AUTHORIZATION(node, report)
    known: set[str] = set()
    for user in section.get("users", []):
        name = user.get("user", "")
        if section.get("user"):
            report.error(user.place, "a single user and a users array cannot both be set")
        if name in known:
            report.error(user.place, f"duplicate user {quoted(name)}")
        known.add(name)
    return section


def _seed(node: Node, report: Report) -> str:
    """Read a private nkey; a refusal says nothing about it."""
    text = string(node, report)
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        raw = b""
    is_whole = len(raw) == 36 and binascii.crc_hqx(raw[:-2], 0) == int.from_bytes(raw[-2:], "little")
    if not is_whole or not text.startswith(_SEED_PREFIXES):
        raise RefusedError("must be the seed of an nkey")
    return text


_PROXY = Block(Key("url", string), Key("username", string), Key("password", string), Key("timeout", duration))


def _proxy(node: Node, report: Report) -> Section:
    known_errors = len(report.errors)
    section = _PROXY(node, report)
    if len(report.errors) > known_errors or not any(map(section.get, ("url", "username", "password", "timeout"))):
        return section
    if not section.get("url"):
        raise RefusedError("must have a url")
    if not is_url(section.get("url")) or not _PROXY_URL.match(section.get("url")):
        raise RefusedError("must have a url of the form http://host:port or https://host:port")
    if bool(section.get("username")) != bool(section.get("password")):
        raise RefusedError("must have both a username and a password, or neither")
    return section


def _cluster_migrate(node: Node, report: Report) -> object:
    if isinstance(node.value, bool):
        return node.value
    if not isinstance(node.value, dict):
        raise RefusedError(f"must be a boolean or a map, found {kind(node.value)}")
    delay = node.value.get("leader_migrate_delay")
    return duration(delay, report) if delay is not None else True


_REMOTE = Block(
    Key("urls", _url_or_list("leafnode"), ("url",)),
    Key("account", string, ("local",)),
    Key("credentials", string, ("creds",)),
    Key("nkey", _seed, ("seed",)),
    Key("tls", tls()),
    Key("hub", boolean),
    Key("deny_imports", subjects, ("deny_import",)),
    Key("deny_exports", subjects, ("deny_export",)),
    Key("no_randomize", boolean, ("dont_randomize",)),
    Key("ws_compression", boolean, ("ws_compress", "websocket_compress", "websocket_compression")),
    Key("ws_no_masking", boolean, ("websocket_no_masking",)),
    Key("compression", _compression),
    Key("first_info_timeout", duration),
    Key("dial_timeout", duration),
    Key("disabled", boolean),
    Key("ignore_discovered_servers", boolean),
    Key("proxy", _proxy),
    Key("isolate", boolean),
    Key("request_isolation", boolean),
    Key("jetstream_cluster_migrate", _cluster_migrate, ("js_cluster_migrate",)),
)


def _remote(node: Node, report: Report) -> Section:
    section = _REMOTE(node, report)
    if section.get("credentials") and section.get("nkey"):
        report.error(section.place_of("nkey"), "a remote has credentials or an nkey, not both")
    return section


_remote_list = each(_remote, "remotes")


def _remotes(node: Node, report: Report) -> list[Section]:
    found: list[Section] = _remote_list(node, report)
    known: set[tuple[str, ...]] = set()
    for remote in found:
        identity = (remote.get("account") or "$G", *sorted(remote.get("urls", [])))
        if identity in known and remote:
            report.error(remote.place, "duplicate remote: another one has the same urls and account")
        known.add(identity)
    return found


leafnodes = Block(
    *LISTEN,
    Key("authorization", _leaf_authorization),
    Key("remotes", _remotes),
    Key("reconnect", duration, ("reconnect_delay", "reconnect_interval")),
    Key("dial_timeout", duration),
    Key("tls", tls()),
    Key("advertise", string),
    Key("no_advertise", boolean),
    Key("min_version", _leaf_version),
    Key("compression", _compression),
    Key("isolate", boolean, ("isolate_leafnode_interest",)),
    Key("write_deadline", duration),
    Key("write_timeout", write_timeout),
)
"""Reads the ``leafnodes`` block."""


# --- gateway ---------------------------------------------------------------------------------------------------------

_REMOTE_GATEWAY = Block(
    Key("name", string),
    Key("url", url),
    Key("urls", _url_list("gateway")),
    Key("tls", tls(knows_urls=True)),
)

gateway = Block(
    Key("name", name_without_blanks),
    *LISTEN,
    Key("authorization", single_login("gateway")),
    Key("tls", tls(knows_urls=True)),
    Key("advertise", string),
    Key("connect_retries", integer),
    Key("connect_backoff", boolean),
    Key("gateways", each(_REMOTE_GATEWAY, "gateways")),
    Key("reject_unknown_cluster", boolean, ("reject_unknown",)),
    Key("write_deadline", duration),
    Key("write_timeout", write_timeout),
)
"""Reads the ``gateway`` block."""
