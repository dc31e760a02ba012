"""A table of rows that show all there is to them."""

from __future__ import annotations

from natsctl.tui.widgets.table import LineTable, Row

__all__ = ["PlainTable"]


class PlainTable(LineTable[Row]):
    """A table whose rows cannot be opened."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer no key that does nothing."""
        return action != "open"
