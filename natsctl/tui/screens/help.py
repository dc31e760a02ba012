"""All keys of the dashboard, in a table that can be searched."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from textual.binding import Binding, BindingsMap, BindingType
from textual.dom import DOMNode

from natsctl.tui.screens.base import TopScreen
from natsctl.tui.screens.closed import ClosedConnectionsScreen, ClosedScreen
from natsctl.tui.screens.connection import ConnectionScreen
from natsctl.tui.screens.connections import ConnectionsScreen
from natsctl.tui.screens.links import LinksScreen
from natsctl.tui.screens.listing import ListScreen
from natsctl.tui.screens.subjects import SubjectsScreen
from natsctl.tui.screens.variables import VariablesScreen
from natsctl.tui.widgets.prompt import Prompt
from natsctl.tui.widgets.table import Column, LineTable

__all__ = ["HelpScreen", "Key"]

PLACES: tuple[tuple[str, type[DOMNode]], ...] = (
    ("connections", ConnectionsScreen),
    ("one connection", ConnectionScreen),
    ("closed connections", ClosedScreen),
    ("closed connections", ClosedConnectionsScreen),
    ("links", LinksScreen),
    ("subscriptions", SubjectsScreen),
    ("server variables", VariablesScreen),
    ("lists", ListScreen),
    ("all screens", TopScreen),
    ("tables", LineTable),
    ("questions", Prompt),
)
"""Where keys work, after those that work everywhere."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a key does; several keys may do it."""

    place: str
    keys: str
    name: str
    about: str

    @property
    def haystack(self) -> str:
        """Where a search looks, in lower case."""
        return "\n".join((self.place, self.keys, self.name, self.about)).lower()


class HelpScreen(ListScreen[Key]):
    """Lists all keys."""

    CAN_OPEN = False
    BINDING_GROUP_TITLE = "Help"

    def columns(self) -> Sequence[Column[Key]]:
        """The key, what it does, and where."""
        return [
            Column("keys", "KEY", lambda row: row.keys, look=lambda row: "accent"),
            Column("name", "DOES", lambda row: row.name),
            Column("place", "WHERE", lambda row: row.place),
            Column("about", "THAT IS", lambda row: row.about, max_width=None),
        ]

    def rows(self) -> Sequence[Key]:
        """The keys that work everywhere, then those of each screen."""
        rows = list(self._keys("everywhere", self.app.BINDINGS))
        for place, node in PLACES:
            rows += self._keys(place, vars(node).get("BINDINGS", []))
        return rows

    def _keys(self, place: str, bindings: Sequence[BindingType]) -> Iterator[Key]:
        merged: dict[str, list[Binding]] = {}
        for _, binding in BindingsMap(bindings):
            merged.setdefault(binding.action, []).append(binding)
        for same in merged.values():
            first = same[0]
            keys = " ".join(self.app.get_key_display(binding) for binding in same)
            yield Key(place, keys, first.description, first.tooltip)

    def key(self, row: Key) -> Hashable:
        """A key is told apart by what it is and where."""
        return row.place, row.keys, row.name

    def summary(self, rows: Sequence[Key]) -> str:
        """How to leave."""
        return "all keys; escape goes back"
