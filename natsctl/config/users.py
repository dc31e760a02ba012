"""Reads who may connect: ``users`` arrays and the ``authorization`` block.

Source: nats-server ``server/opts.go``, parseUsers and parseAuthorization.
"""

from __future__ import annotations

from natsctl.config.document import Node, Place
from natsctl.config.options import AuthorizationOptions, User
from natsctl.config.permissions import permissions
from natsctl.config.readers import ACCOUNT, boolean, each, nkey, string, string_or_strings, strings, timeout
from natsctl.config.schema import Block, Key, Reader, RefusedError, Report, Section
from natsctl.config.words import quoted
from natsctl.protocol.nkey import CURVE, USER

__all__ = ["authorization", "check_callout", "check_logins", "check_unique", "single_login", "users"]

_CONNECTION_TYPES = ("STANDARD", "WEBSOCKET", "LEAFNODE", "LEAFNODE_WS", "MQTT", "MQTT_WS", "IN_PROCESS")


def _connection_types(node: Node, report: Report) -> list[str]:
    names = [name.upper() for name in string_or_strings(node, report)]
    for name in names:
        if name not in _CONNECTION_TYPES:
            raise RefusedError(f"must name connection types ({', '.join(_CONNECTION_TYPES)}), found {quoted(name)}")
    return names


_public_nkey = nkey(USER, "a user")


def _user_nkey(node: Node, report: Report) -> str:
    return "" if node.value == "" else str(_public_nkey(node, report))


_USER = Block(
    Key("user", string, ("username",), to="user"),
    Key("password", string, ("pass",), to="password"),
    Key("nkey", _user_nkey, to="nkey"),
    Key("permissions", permissions, ("permission", "authorization"), to="permissions"),
    Key(
        "allowed_connection_types",
        _connection_types,
        ("connection_types", "clients"),
        to="allowed_connection_types",
    ),
    Key("proxy_required", boolean),
)


def _user(node: Node, report: Report) -> User:
    known_errors = len(report.errors)
    section = _USER(node, report)
    user = User()
    section.fill(user)
    if user.nkey and (user.user or user.password):
        report.error(section.place_of("nkey"), "a user with an nkey takes no user name or password")
    elif not user.nkey and not user.user and len(report.errors) == known_errors:
        report.error(node.place, "a user needs a user name or an nkey")
    return user


users = each(_user, "users")
"""Reads an array of users."""


def check_unique(known: set[str], found: list[User], place: Place, report: Report) -> None:
    """Refuse names and nkeys that are already known, for a login belongs to one user of one account."""
    for user in found:
        login = user.nkey or user.user
        if login in known:
            report.error(place, f"duplicate {'nkey' if user.nkey else 'user'} {quoted(login)}")
        known.add(login)


_CALLOUT = Block(
    Key("issuer", nkey(ACCOUNT, "an account")),
    Key("account", string, ("acc",)),
    Key("auth_users", strings, ("users",)),
    Key("xkey", nkey(CURVE, "a curve"), ("key",)),
    Key("allowed_accounts", strings),
)


def _callout(node: Node, report: Report) -> Section:
    known_errors = len(report.errors)
    section = _CALLOUT(node, report)
    if len(report.errors) == known_errors:
        for needed in ("issuer", "auth_users"):
            if not section.get(needed):
                report.error(node.place, f"an auth callout needs {needed}")
    return section


def check_callout(callout: Section, accounts: set[str], report: Report) -> None:
    """Refuse a callout for accounts that nobody defines."""
    for name in callout.get("allowed_accounts", []):
        if name not in accounts:
            report.error(callout.place_of("allowed_accounts"), f"account {quoted(name)} is not defined")


_AUTHORIZATION = Block(
    Key("user", string, ("username",), to="user"),
    Key("password", string, ("pass",), to="password"),
    Key("token", string, to="token"),
    Key("timeout", timeout, to="timeout_s", zero_is_default=True),
    Key("users", users, to="users"),
    Key(
        "default_permissions",
        permissions,
        ("default_permission", "permissions"),
        to="default_permissions",
    ),
    Key("auth_callout", _callout, ("auth_hook",)),
    Key("proxy_required", boolean),
)
"""Also the block of ``cluster`` and ``gateway``, which allow less of it."""


def authorization(node: Node, report: Report) -> Section:
    """Read the ``authorization`` block of clients."""
    section = _AUTHORIZATION(node, report)
    if section.get("token") and (section.get("user") or section.get("password")):
        report.error(node.place, "a user or password and a token cannot both be set")
    if "users" in section:
        for name in ("user", "token"):
            if section.get(name):
                report.error(node.place, f"a single {name} and a users array cannot both be set")
        check_unique(set(), section.get("users"), node.place, report)
    return section


def check_logins(found: AuthorizationOptions, place: Place, report: Report) -> None:
    """Refuse a single login beside accounts that have users, because nothing says which account it belongs to."""
    for name, value in (("user", found.user), ("token", found.token)):
        if value:
            report.error(place, f"a single {name} and accounts with users cannot both be set")


def single_login(what: str, *, permissions_are_deprecated: bool = False) -> Reader:
    """Make the reader of the ``authorization`` of a cluster or gateway: one user with a password."""

    def read(node: Node, report: Report) -> Section:
        section = _AUTHORIZATION(node, report)
        for key, unsupported in (("users", "several users"), ("token", "tokens"), ("auth_callout", "auth callouts")):
            if key in section and section.get(key) != "":
                report.error(node.place, f"the authorization of a {what} does not support {unsupported}")
        if permissions_are_deprecated and "default_permissions" in section:
            report.warn(node.place, f"permissions belong into the {what}, not into its authorization")
        return section

    return read
