"""Reads the ``accounts`` block: users, limits, and what accounts share with one another.

Source: nats-server ``server/opts.go``, parseAccounts.
"""

from __future__ import annotations

from natsctl.config.document import Node
from natsctl.config.jetstream import account_jetstream
from natsctl.config.mappings import mappings
from natsctl.config.options import AccountLimits, AccountOptions
from natsctl.config.permissions import is_literal, permissions
from natsctl.config.readers import ACCOUNT, nkey, percentage, string, unlimited_below_zero
from natsctl.config.schema import Block, Key, RefusedError, Report, Section
from natsctl.config.sharing import Shares, check_sharing, exports, imports
from natsctl.config.users import users
from natsctl.config.words import kind, quoted

__all__ = ["AccountSection", "accounts"]

_GLOBAL = "$G"

_LIMITS = Block(
    Key("max_connections", unlimited_below_zero, ("max_conn",), to="max_connections"),
    Key("max_subscriptions", unlimited_below_zero, ("max_subs",), to="max_subscriptions"),
    Key("max_payload", unlimited_below_zero, ("max_pay",), to="max_payload"),
    Key("max_leafnodes", unlimited_below_zero, ("max_leafs",), to="max_leafnodes"),
)


def _limits(node: Node, report: Report) -> AccountLimits:
    limits = AccountLimits()
    _LIMITS(node, report).fill(limits)
    return limits


def _trace_destination(node: Node, report: Report) -> str:
    subject = string(node, report)
    if not is_literal(subject):
        raise RefusedError(f"must be a subject without wildcards, found {quoted(subject)}")
    return subject


_TRACE = Block(Key("dest", _trace_destination), Key("sampling", percentage(1)))


def _msg_trace(node: Node, report: Report) -> object:
    if isinstance(node.value, str):
        return _trace_destination(node, report)
    if not isinstance(node.value, dict):
        raise RefusedError(f"must be a subject or a map, found {kind(node.value)}")
    section = _TRACE(node, report)
    if "sampling" in section and "dest" not in section:
        report.warn(node.place, "sampling of message traces has no effect without a destination")
    return section


_ACCOUNT = Block(
    Key("users", users, to="users"),
    Key("nkey", nkey(ACCOUNT, "an account")),
    Key("limits", _limits, to="limits"),
    Key("default_permissions", permissions, to="default_permissions"),
    Key("exports", exports),
    Key("imports", imports),
    Key("mappings", mappings, ("maps",)),
    Key("jetstream", account_jetstream),
    Key("msg_trace", _msg_trace, ("trace_dest",)),
)


class AccountSection:
    """One account of a file: its options, and the section they were read from."""

    def __init__(self, name: str, section: Section) -> None:
        self.options = AccountOptions(name=name)
        self.section = section
        section.fill(self.options)


def accounts(node: Node, report: Report) -> list[AccountSection]:
    """Read all accounts: a map of blocks, or an array of names."""
    known_errors = len(report.errors)
    if isinstance(node.value, list):
        return _named(node.value, report)
    if not isinstance(node.value, dict):
        raise RefusedError(f"must be a map or an array of names, found {kind(node.value)}")
    found = []
    with report.inside("*"):
        for name, entry in node.value.items():
            if entry.is_referenced:
                continue
            if name == _GLOBAL:
                report.error(entry.place, f'account "{_GLOBAL}" is reserved')
                continue
            is_read, section = report.read(f"account {quoted(name)}", entry, _ACCOUNT)
            if is_read:
                found.append(AccountSection(name, section))
    if len(report.errors) == known_errors:
        shared = {
            account.options.name: Shares(account.section.get("exports", []), account.section.get("imports", []))
            for account in found
        }
        check_sharing(shared, report)
    return found


def _named(items: list[Node], report: Report) -> list[AccountSection]:
    found: dict[str, AccountSection] = {}
    for item in items:
        is_read, name = report.read("each account", item, string)
        if not is_read:
            continue
        if name == _GLOBAL:
            report.error(item.place, f'account "{_GLOBAL}" is reserved')
        elif name in found:
            report.error(item.place, f"duplicate account {quoted(name)}")
        else:
            found[name] = AccountSection(name, Section(item.place))
    return list(found.values())
