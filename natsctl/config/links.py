"""Reads the blocks that link servers of a cluster, and clusters: ``cluster`` and ``gateway``.

Source: nats-server ``server/opts.go``, parseCluster and parseGateway.
"""

from __future__ import annotations

from natsctl.config.document import Node
from natsctl.config.options import ClusterOptions
from natsctl.config.permissions import permissions
from natsctl.config.readers import (
    boolean,
    choice,
    duration,
    duration_text,
    each,
    host_port,
    integer,
    name_without_blanks,
    string,
    string_or_strings,
)
from natsctl.config.schema import Block, Key, Reader, RefusedError, Report, Section
from natsctl.config.tls import outgoing_tls_options, tls
from natsctl.config.urls import url, warn_of_duplicates
from natsctl.config.users import single_login
from natsctl.config.words import kind

__all__ = ["LISTEN", "cluster", "compression", "fill_cluster", "gateway", "url_or_list", "write_timeout"]

_MAX_ROUTE_PING_S = 30.0

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


def url_or_list(what: str) -> Reader:
    """Make a reader of one URL, or of an array of URLs that should differ."""
    many = _url_list(what)

    def read(node: Node, report: Report) -> list[str]:
        return [url(node, report)] if isinstance(node.value, str) else many(node, report)

    return read


_COMPRESSION = Block(
    Key("mode", string),
    Key("rtt_thresholds", each(duration_text, "thresholds"), ("thresholds", "rtts", "rtt")),
)


_UNCOMPRESSED = ("off", "disabled", "false", "accept")
"""Modes in which nothing is compressed unless the peer asks for it, which our broker never lets it do."""


def compression(node: Node, report: Report) -> object:
    """Read how links are compressed; what compresses nothing of itself is empty."""
    mode: object = node.value
    if isinstance(node.value, dict):
        mode = _COMPRESSION(node, report).get("mode", "")
    elif not isinstance(node.value, bool | str):
        raise RefusedError(f"must be a boolean, a mode or a map, found {kind(node.value)}")
    return "" if str(mode).lower() in _UNCOMPRESSED else mode


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


def _pool_size(node: Node, report: Report) -> int:
    """Read how many connections make a route; below 1 it is a single one, as all of ours are."""
    return max(integer(node, report), 0)


cluster = Block(
    Key("name", name_without_blanks, to="name"),
    *LISTEN,
    Key("authorization", single_login("cluster", permissions_are_deprecated=True)),
    Key("routes", _url_list("route"), to="routes"),
    Key("tls", tls(knows_urls=True)),
    Key("advertise", string, ("cluster_advertise",), to="advertise"),
    Key("no_advertise", boolean, to="no_advertise"),
    Key("connect_retries", integer, to="connect_retries"),
    Key("connect_backoff", boolean, to="connect_backoff"),
    Key("permissions", _route_permissions, to="permissions"),
    Key("pool_size", _pool_size),
    Key("accounts", string_or_strings),
    Key("compression", compression),
    Key("ping_interval", _route_ping, to="ping_interval_s"),
    Key("ping_max", integer, to="ping_max"),
    Key("write_deadline", duration, to="write_deadline_s"),
    Key("write_timeout", write_timeout, to="write_timeout"),
)
"""Reads the ``cluster`` block."""


def fill_cluster(options: ClusterOptions, section: Section, report: Report) -> None:
    """Make the options of the block."""
    address = section.get("listen")
    options.host = section.get("host") or (address.host if address else "")
    options.port = section.get("port") or (address.port if address else 0)
    if "authorization" in section:
        login = section.get("authorization")
        options.user, options.password = login.get("user", ""), login.get("password", "")
        options.timeout_s = login.get("timeout", 0.0)
        options.permissions = login.get("default_permissions")
    if "tls" in section:
        encryption = section.get("tls")
        options.tls = outgoing_tls_options(encryption, report)
        options.knows_urls = encryption.get("verify_cert_and_check_known_urls", False)
    section.fill(options)


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
