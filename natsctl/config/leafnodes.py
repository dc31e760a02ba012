"""Reads the ``leafnodes`` block: who may connect as a leafnode, and the hubs to connect to.

Source: nats-server ``server/opts.go``, parseLeafNodes and parseRemoteLeafNodes.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TypeVar

from natsctl.config.document import Node
from natsctl.config.links import LISTEN, compression, url_or_list, write_timeout
from natsctl.config.options import LeafOptions, LeafUser, RemoteOptions
from natsctl.config.permissions import subjects
from natsctl.config.readers import boolean, duration, each, nkey, string, timeout
from natsctl.config.schema import Block, Key, RefusedError, Report, Section
from natsctl.config.tls import outgoing_tls_options, tls, tls_options
from natsctl.config.urls import is_url
from natsctl.config.words import kind, quoted
from natsctl.protocol.nkey import USER

__all__ = ["fill_leafnodes", "leafnodes"]

_MIN_VERSION = (2, 8, 0)
_SEMVER = re.compile(r"v?([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
_PROXY_URL = re.compile(r"https?://(?:[^/?#@]*@)?[^/?#@:]")
_SEED_PREFIXES = ("SU", "SA", "SO", "SN", "SC", "SX")
_WEBSOCKET = ("ws:", "wss:")

_Target = TypeVar("_Target")


def _version(node: Node, report: Report) -> str:
    text = string(node, report)
    version = _SEMVER.fullmatch(text)
    if version is None:
        raise RefusedError(f"must be a version such as 2.9.0, found {quoted(text)}")
    if tuple(map(int, version.groups())) < _MIN_VERSION:
        raise RefusedError(f"must be at least {'.'.join(map(str, _MIN_VERSION))}, found {quoted(text)}")
    return text


# --- who may connect -------------------------------------------------------------------------------------------------

_USER = Block(
    Key("user", string, ("username",), to="user"),
    Key("password", string, ("pass",), to="password"),
    Key("account", string, to="account"),
    Key("proxy_required", boolean),
)

_AUTHORIZATION = Block(
    Key("user", string, ("username",), to="user"),
    Key("password", string, ("pass",), to="password"),
    Key("nkey", nkey(USER, "a user"), to="nkey"),
    Key("account", string, to="account"),
    Key("timeout", timeout, to="timeout_s", zero_is_default=True),
    Key("users", each(_USER, "users")),
    Key("proxy_required", boolean),
)


def _authorization(node: Node, report: Report) -> Section:
    section = _AUTHORIZATION(node, report)
    known: set[str] = set()
    for user in section.get("users", []):
        name = user.get("user", "")
        if section.get("user"):
            report.error(user.place, "a single user and a users array cannot both be set")
        if name in known:
            report.error(user.place, f"duplicate user {quoted(name)}")
        known.add(name)
    return section


# --- hubs to connect to ----------------------------------------------------------------------------------------------


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
    Key("urls", url_or_list("leafnode"), ("url",), to="urls"),
    Key("account", string, ("local",), to="account"),
    Key("credentials", string, ("creds",), to="credentials"),
    Key("nkey", _seed, ("seed",), to="nkey"),
    Key("tls", tls()),
    Key("hub", boolean),
    Key("deny_imports", subjects, ("deny_import",), to="deny_imports"),
    Key("deny_exports", subjects, ("deny_export",), to="deny_exports"),
    Key("no_randomize", boolean, ("dont_randomize",), to="no_randomize"),
    Key("ws_compression", boolean, ("ws_compress", "websocket_compress", "websocket_compression")),
    Key("ws_no_masking", boolean, ("websocket_no_masking",)),
    Key("compression", compression),
    Key("first_info_timeout", duration, to="first_info_timeout_s", zero_is_default=True),
    Key("dial_timeout", duration, to="dial_timeout_s"),
    Key("disabled", boolean, to="disabled"),
    Key("ignore_discovered_servers", boolean, to="ignore_discovered_servers"),
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


# --- the block -------------------------------------------------------------------------------------------------------

leafnodes = Block(
    *LISTEN,
    Key("authorization", _authorization),
    Key("remotes", _remotes),
    Key("reconnect", duration, ("reconnect_delay", "reconnect_interval"), to="reconnect_s", zero_is_default=True),
    Key("dial_timeout", duration, to="dial_timeout_s", zero_is_default=True),
    Key("tls", tls()),
    Key("advertise", string, to="advertise"),
    Key("no_advertise", boolean, to="no_advertise"),
    Key("min_version", _version, to="min_version"),
    Key("compression", compression),
    Key("isolate", boolean, ("isolate_leafnode_interest",)),
    Key("write_deadline", duration, to="write_deadline_s", zero_is_default=True),
    Key("write_timeout", write_timeout, to="write_timeout"),
)
"""Reads the ``leafnodes`` block."""


def fill_leafnodes(options: LeafOptions, section: Section, report: Report) -> None:
    """Make the options of the block."""
    section.fill(options)
    address = section.get("listen")
    options.host = section.get("host") or (address.host if address else "")
    options.port = section.get("port") or (address.port if address else 0)
    if "authorization" in section:
        login = section.get("authorization")
        login.fill(options)
        options.users = [_filled(LeafUser(), user) for user in login.get("users", [])]
    if "tls" in section:
        options.tls = tls_options(section.get("tls"), report)
    for found in section.get("remotes", []):
        remote = _filled(RemoteOptions(), found)
        if "tls" in found:
            remote.tls = outgoing_tls_options(found.get("tls"), report)
        if any(url.lower().startswith(_WEBSOCKET) for url in remote.urls):
            message = "urls: natsctl server does not support leafnodes over WebSocket yet"
            report.unavailable.append(found.place_of("urls").problem(message))
        options.remotes.append(remote)


def _filled(target: _Target, section: Section) -> _Target:
    section.fill(target)
    return target
