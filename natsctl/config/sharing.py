"""Reads what accounts export and import, and checks that each import meets an export.

Source: nats-server ``server/opts.go``, parseAccountExports and parseAccountImports; ``server/accounts.go``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from natsctl.config.document import Node, Place
from natsctl.config.mappings import check_transform
from natsctl.config.permissions import is_literal, is_subject
from natsctl.config.readers import boolean, choice, duration_text, each, integer_between, percentage, string, strings
from natsctl.config.schema import Block, Key, RefusedError, Report, Section
from natsctl.config.words import kind, quoted
from natsctl.protocol.subject import covers, has_wildcard

__all__ = ["Export", "Import", "Shares", "check_sharing", "exports", "imports"]

_MAX_TOKENS = 255


@dataclass(slots=True)
class Export:
    """Subjects that other accounts may import."""

    type: str
    """``stream`` or ``service``."""
    subject: str
    place: Place
    accounts: list[str] | None = None
    """Who may import; None is everyone."""


@dataclass(slots=True)
class Import:
    """Subjects of another account."""

    type: str
    account: str
    subject: str
    place: Place
    prefix: str = ""
    to: str = ""

    @property
    def local(self) -> str:
        """The name of the subjects in the importing account."""
        if self.prefix:
            return f"{self.prefix.rstrip('.')}.{self.subject}"
        return self.to or self.subject


@dataclass(slots=True)
class Shares:
    """What one account gives and takes."""

    exports: list[Export] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)


# --- exports ---------------------------------------------------------------------------------------------------------


_percent = percentage(1)


def _sampling(node: Node, report: Report) -> object:
    is_by_headers = isinstance(node.value, str) and node.value.strip().lower() == "headers"
    return node.value if is_by_headers else _percent(node, report)


_LATENCY = {"sampling": _sampling, "subject": string}


def _latency(node: Node, report: Report) -> str:
    subject = node.value
    if isinstance(subject, dict):
        for name, reader in _LATENCY.items():
            if name in subject:
                reader(subject[name], report)
        if "subject" not in subject:
            raise RefusedError("must have a subject")
        subject = subject["subject"].value
    if not isinstance(subject, str):
        raise RefusedError(f"must be a subject or a map, found {kind(node.value)}")
    if not is_literal(subject):
        raise RefusedError(f"must be a subject without wildcards, found {quoted(subject)}")
    return subject


_RESPONSE_TYPES = choice("single", "singleton", "stream", "chunk", "chunked", any_case=True)

_EXPORT = Block(
    Key("stream", string),
    Key("service", string),
    Key("accounts", strings),
    Key("response_type", _RESPONSE_TYPES, ("response",)),
    Key("threshold", duration_text, ("response_threshold", "response_max_time", "response_time")),
    Key("latency", _latency),
    Key("allow_trace", boolean),
    Key("account_token_position", integer_between(0, _MAX_TOKENS)),
)
_OF_SERVICES = ("response_type", "threshold", "latency", "allow_trace")


def _export(node: Node, report: Report) -> Export | None:
    section = _EXPORT(node, report)
    type_ = _type_of(section, report)
    if type_ is None:
        return None
    if type_ == "stream":
        for name in _OF_SERVICES:
            if name in section:
                report.error(section.place_of(name), f"{name} belongs to services, not to streams")
    elif "latency" in section and not section.get("response_type", "single").startswith("single"):
        report.error(section.place_of("latency"), "latency is measured only for services with a single response")
    subject = section.get(type_)
    position = section.get("account_token_position", 0)
    if position and subject.split(".")[position - 1 : position] != ["*"]:
        report.error(node.place, f"token {position} of {quoted(subject)} must be '*' to carry the account's name")
    return Export(type_, subject, node.place, section.get("accounts") or None)


def _type_of(section: Section, report: Report) -> str | None:
    types = [name for name in ("stream", "service") if name in section]
    if len(types) > 1:
        report.error(section.place_of("service"), "either a stream or a service, not both")
    return types[0] if types else None


_exports = each(_export, "exports")


def exports(node: Node, report: Report) -> list[Export]:
    """Read an array of exports."""
    return [found for found in _exports(node, report) if found is not None]


# --- imports ---------------------------------------------------------------------------------------------------------

_ORIGIN = Block(Key("account", string), Key("subject", string))


def _origin(node: Node, report: Report) -> Section:
    known_errors = len(report.errors)
    section = _ORIGIN(node, report)
    if len(report.errors) == known_errors and not (section.get("account") and section.get("subject")):
        raise RefusedError("must have an account and a subject")
    return section


_IMPORT = Block(
    Key("stream", _origin),
    Key("service", _origin),
    Key("prefix", string),
    Key("to", string),
    Key("share", boolean),
    Key("allow_trace", boolean),
)


def _import(node: Node, report: Report) -> Import | None:
    section = _IMPORT(node, report)
    type_ = _type_of(section, report)
    if type_ is None:
        return None
    if type_ == "stream" and section.get("prefix") and section.get("to"):
        report.error(section.place_of("to"), "an import of a stream has a prefix or a to, not both")
    if type_ == "service" and "allow_trace" in section:
        report.error(section.place_of("allow_trace"), "allow_trace belongs to imports of streams")
    origin = section.get(type_)
    prefix = section.get("prefix", "") if type_ == "stream" else ""
    return Import(
        type_, origin.get("account", ""), origin.get("subject", ""), node.place, prefix, section.get("to", "")
    )


_imports = each(_import, "imports")


def imports(node: Node, report: Report) -> list[Import]:
    """Read an array of imports."""
    found = [item for item in _imports(node, report) if item is not None]
    taken: set[str] = set()
    for item in found:
        if item.type == "service":
            if item.local in taken:
                report.error(item.place, f"duplicate import of a service as {quoted(item.local)}")
            taken.add(item.local)
    return found


# --- both together ---------------------------------------------------------------------------------------------------


def check_sharing(accounts: dict[str, Shares], report: Report) -> None:
    """Check every import against the exports of the account it names.

    Args:
        accounts: All accounts by name.
        report: Takes the errors.
    """
    for shares in accounts.values():
        for export in shares.exports:
            for name in export.accounts or ():
                if name not in accounts:
                    report.error(export.place, f"account {quoted(name)} of an export is not defined")
    for name, shares in accounts.items():
        seen: set[tuple[str, str, str]] = set()
        for item in shares.imports:
            problem = _check_import(name, item, accounts)
            stream = (item.account, item.subject, item.local)
            if not problem and item.type == "stream" and stream in seen:
                problem = "is there twice"
            seen.add(stream)
            if problem:
                report.error(item.place, f"import of {item.type} {quoted(item.subject)} {problem}")
    _check_cycles(accounts, report)


def _check_import(importer: str, item: Import, accounts: dict[str, Shares]) -> str:
    if item.account not in accounts:
        return f"names account {quoted(item.account)}, which is not defined"
    if not is_subject(item.subject) or not _is_exported(importer, item, accounts[item.account]):
        return f"meets no export of account {quoted(item.account)} for this account"
    if has_wildcard(item.prefix.encode()):
        return "has a prefix with wildcards"
    if item.type == "service" and item.to and not is_subject(item.to):
        return f"has a 'to' that is not a valid subject: {quoted(item.to)}"
    return _check_renaming(item)


def _is_exported(importer: str, item: Import, owner: Shares) -> bool:
    return any(
        export.type == item.type
        and (export.accounts is None or importer in export.accounts)
        and covers(export.subject.encode(), item.subject.encode())
        for export in owner.exports
    )


def _check_renaming(item: Import) -> str:
    """Check that ``to`` uses the wildcards of the subject, each once where a service must be found back."""
    tokens, renamed = item.subject.split("."), item.to.split(".")
    if not item.to or "*" not in tokens:
        return ""
    if "*" in renamed:
        return "" if renamed.count("*") == tokens.count("*") else "has a 'to' with another number of wildcards"
    numbers = [int(token[1:]) for token in renamed if re.fullmatch(r"\$[0-9]{1,3}", token)]
    if item.type == "service" and sorted(numbers) != list(range(1, tokens.count("*") + 1)):
        return "has a 'to' that does not name each wildcard once"
    if not numbers:
        return "has a 'to' without wildcards"
    problem = check_transform(item.subject, item.to)
    return f"has a wrong 'to': {problem}" if problem else ""


def _check_cycles(accounts: dict[str, Shares], report: Report) -> None:
    """Refuse a subject that comes back to the account it was exported from."""
    for name, shares in accounts.items():
        for item in shares.imports:
            account, subject, seen = item.account, item.subject, {name}
            while account in accounts and account not in seen:
                seen.add(account)
                following = next(
                    (
                        onward
                        for onward in accounts[account].imports
                        if onward.type == item.type and covers(onward.local.encode(), subject.encode())
                    ),
                    None,
                )
                if following is None:
                    break
                account, subject = following.account, following.subject
                if account == name and covers(item.local.encode(), subject.encode()):
                    report.error(item.place, f"import of {item.type} {quoted(item.subject)} forms a cycle")
