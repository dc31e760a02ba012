"""Checks subject mappings: what a destination may be, and the weights of several.

Source: nats-server ``server/subject_transform.go``.
"""

from __future__ import annotations

import re

from natsctl.config.document import Node
from natsctl.config.permissions import is_subject
from natsctl.config.readers import percentage, string
from natsctl.config.schema import Block, Key, RefusedError, Report
from natsctl.config.words import kind, quoted

__all__ = ["check_transform", "mappings"]

_FUNCTION = re.compile(r"\{\{\s*(\w+)\s*\(([^()]*)\)\s*\}\}")
_REFERENCE = re.compile(r"\$(\d+)")
_FUNCTIONS = {
    # name: how many arguments it needs, and whether the first of them is a wildcard's number
    "wildcard": (1, True),
    "partition": (1, False),
    "random": (1, False),
    "split": (2, True),
    "splitfromleft": (2, True),
    "splitfromright": (2, True),
    "slicefromleft": (2, True),
    "slicefromright": (2, True),
    "left": (2, True),
    "right": (2, True),
}
_UNLIMITED_ARGUMENTS = "partition"
_TEXT_ARGUMENT = "split"


def check_transform(source: str, destination: str) -> str:
    """Say what is wrong with a mapping of subjects; empty when nothing is."""
    if not destination:
        return ""
    if not is_subject(destination) and not _FUNCTION.search(destination):
        return f"{quoted(destination)} is not a valid destination"
    tokens = _tokens(destination)
    if not all(tokens):
        return f"{quoted(destination)} is not a valid destination"
    wildcards = source.split(".").count("*")
    if (">" in source.split(".")) != (">" in tokens):
        return "a '>' must be in the source and in the destination, or in neither"
    for token in tokens:
        if token == "*":
            return f"{quoted(destination)} must name wildcards by number"
        problem = _check_token(token, wildcards)
        if problem:
            return problem
    return ""


def _tokens(destination: str) -> list[str]:
    """Split at the dots that are not inside a function."""
    hidden = _FUNCTION.sub(lambda match: match[0].replace(".", "\0").replace(" ", ""), destination)
    return [token.replace("\0", ".") for token in hidden.split(".")]


def _check_token(token: str, wildcards: int) -> str:
    reference = _REFERENCE.fullmatch(token)
    if reference:
        return _check_wildcard(int(reference[1][:9]), wildcards)
    function = _FUNCTION.fullmatch(token)
    if function is None:
        return ""
    name = function[1].lower()
    if name not in _FUNCTIONS:
        return f"unknown function {quoted(function[1])}"
    needed, is_wildcard_first = _FUNCTIONS[name]
    arguments = [argument.strip() for argument in function[2].split(",")]
    if len(arguments) < needed or not arguments[0]:
        return f"{name} needs {needed} arguments"
    if len(arguments) > needed and name != _UNLIMITED_ARGUMENTS:
        return f"{name} takes {needed} arguments"
    numbers = arguments[:1] if name == _TEXT_ARGUMENT else arguments
    if not all(re.fullmatch(r"[0-9]{1,9}", number) for number in numbers):
        return f"the arguments of {name} must be numbers"
    named = numbers[:1] if is_wildcard_first else numbers[1:]
    return next(filter(None, (_check_wildcard(int(number), wildcards) for number in named)), "")


def _check_wildcard(number: int, wildcards: int) -> str:
    return f"there is no wildcard {number} in the source" if number > wildcards else ""


_DESTINATION = Block(
    Key("destination", string, ("dest",)),
    Key("weight", percentage(0)),
    Key("cluster", string),
)


def mappings(node: Node, report: Report) -> dict[str, Node]:
    """Read and check a ``mappings`` map: source subject to one or more weighted destinations."""
    if not isinstance(node.value, dict):
        raise RefusedError(f"must be a map, found {kind(node.value)}")
    for source, entry in node.value.items():
        if not is_subject(source):
            report.error(entry.place, f"{quoted(source)} is not a valid subject")
        elif isinstance(entry.value, str):
            _note(report, entry, source, check_transform(source, entry.value))
        elif isinstance(entry.value, dict | list):
            items = entry.value if isinstance(entry.value, list) else [entry]
            _check_weighted(source, entry, items, report)
        else:
            report.error(entry.place, f"mapping {quoted(source)} must be a subject, a map or an array of maps")
    return node.value


def _check_weighted(source: str, entry: Node, items: list[Node], report: Report) -> None:
    totals: dict[str, int] = {}
    seen: set[str] = set()
    for item in items:
        is_read, section = report.read("each destination", item, _DESTINATION)
        if not is_read:
            continue
        destination, cluster = section.get("destination", ""), section.get("cluster", "")
        if "weight" not in section:
            report.error(item.place, f"mapping destination {quoted(destination)} has no weight")
            continue
        if destination in seen:
            report.error(entry.place, f"mapping {quoted(source)} has destination {quoted(destination)} twice")
        seen.add(destination)
        totals[cluster] = totals.get(cluster, 0) + section.get("weight")
        _note(report, entry, source, check_transform(source, destination))
    if any(total > 100 for total in totals.values()):
        report.error(entry.place, f"the weights of mapping {quoted(source)} are above 100 together")


def _note(report: Report, entry: Node, source: str, problem: str) -> None:
    if problem:
        report.error(entry.place, f"mapping {quoted(source)}: {problem}")
