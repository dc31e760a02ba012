"""The shape of a configuration as data: which keys a block has, and what reads the value of each.

A block is a table of keys, a key names its reader, and a reader turns a node into a value or refuses it. Everything a
reader learns besides the value (errors, warnings, features that do not exist yet) goes into a report, so that one
pass over a file finds all that is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from natsctl.config.availability import UNAVAILABLE
from natsctl.config.document import Node, Place
from natsctl.config.words import did_you_mean, kind, quoted
from natsctl.errors import Problem

__all__ = ["MAX_PROBLEMS", "Block", "Key", "Reader", "RefusedError", "Report", "Section"]


MAX_PROBLEMS = 200
"""Errors, warnings and missing features noted of one configuration; a reader gives up long before."""


class RefusedError(Exception):
    """A reader does not accept a value.

    The message continues the name of the key: ``must be an integer, found a string``.
    """

    def __init__(self, message: str, node: Node | None = None) -> None:
        super().__init__(message)
        self.place = node.place if node is not None else None


Reader = Callable[[Node, "Report"], Any]
"""Reads one value.

Raises:
    RefusedError: The value cannot be meant.
"""


@dataclass(slots=True)
class Report:
    """What one pass over a configuration found out."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    unavailable: list[Problem] = field(default_factory=list)
    _path: list[str] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether so many errors are known that nobody reads another one."""
        return len(self.errors) >= MAX_PROBLEMS

    def error(self, place: Place, message: str) -> None:
        """Note what makes the configuration unusable."""
        if not self.is_full:
            self.errors.append(place.problem(message))

    def warn(self, place: Place, message: str) -> None:
        """Note what is doubtful but can be followed."""
        if len(self.warnings) < MAX_PROBLEMS:
            self.warnings.append(place.problem(message))

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Enter a key while its value is read."""
        self._path.append(name)
        try:
            yield
        finally:
            self._path.pop()

    def read(self, name: str, node: Node, reader: Reader) -> tuple[bool, Any]:
        """Read the value of the key called ``name``; a refusal becomes an error.

        Returns:
            Whether there is a value, and the value.
        """
        try:
            value = reader(node, self)
        except RefusedError as error:
            self.error(error.place or node.place, f"{name} {error}")
            return False, None
        return True, value

    def check_available(self, name: str, place: Place, value: object) -> None:
        """Note a key that switches on what does not exist yet; an empty or false value switches nothing on."""
        feature = UNAVAILABLE.get(".".join(self._path))
        if value and feature is not None and len(self.unavailable) < MAX_PROBLEMS:
            self.unavailable.append(place.problem(f"{name}: natsctl server does not support {feature} yet"))


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a block."""

    name: str
    read: Reader
    aliases: tuple[str, ...] = ()
    to: str = ""
    """Attribute of the options that takes the value, dotted; empty where the block's owner places it."""
    zero_is_default: bool = False
    """0 or the empty string in a file leave the default, as they do in nats-server."""


class Section:
    """The values that a block of a file holds, by the canonical names of their keys."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._read: dict[str, tuple[Key, Any, Place]] = {}

    def __bool__(self) -> bool:
        return bool(self._read)

    def __contains__(self, name: str) -> bool:
        return name in self._read

    def add(self, key: Key, value: Any, place: Place) -> None:
        """Hold a value; a later one of the same key replaces it."""
        self._read[key.name] = (key, value, place)

    def get(self, name: str, default: Any = None) -> Any:
        """Give the value of a key, or the default where the file does not have it."""
        return self._read[name][1] if name in self._read else default

    def place_of(self, name: str) -> Place:
        """Say where a key stands; the whole block for one that does not."""
        return self._read[name][2] if name in self._read else self.place

    def fill(self, target: object) -> None:
        """Set the attributes that the keys name with ``to``."""
        for key, value, _ in self._read.values():
            if key.to and not (key.zero_is_default and not value):
                *parents, attribute = key.to.split(".")
                owner = target
                for parent in parents:
                    owner = getattr(owner, parent)
                setattr(owner, attribute, value)


class Block:
    """A map with known keys; itself a reader, of a ``Section``.

    Args:
        keys: All keys, in the order in which a reader of the file should meet them.
    """

    def __init__(self, *keys: Key) -> None:
        self.keys = keys
        self._by_name = {name: key for key in keys for name in (key.name, *key.aliases)}

    def __call__(self, node: Node, report: Report) -> Section:
        """Read a map, each of its keys by its own reader."""
        if not isinstance(node.value, dict):
            raise RefusedError(f"must be a map, found {kind(node.value)}")
        section = Section(node.place)
        for name, entry in node.value.items():
            key = self._by_name.get(name.lower())
            if key is not None:
                with report.inside(key.name):
                    is_read, value = report.read(name, entry, key.read)
                    report.check_available(name, entry.place, value)
                if is_read:
                    section.add(key, value, entry.place)
            elif not entry.is_referenced and not report.is_full:
                meant = did_you_mean(name, [key.name for key in self.keys]) or did_you_mean(name, self._by_name)
                report.error(entry.place, f"unknown field {quoted(name)}{meant}")
        return section
