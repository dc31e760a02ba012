"""A table of any length that draws only the lines that can be seen, each afresh with every snapshot.

Its cells are made of the rows while a line is drawn, so five thousand rows cost no more than forty, apart from sorting.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from natsctl.tui.formats import clean

__all__ = ["Column", "LineTable"]

Row = TypeVar("Row")

GAP = 1
HEADER_LINES = 1
MAX_CELL = 512


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column.

    Attributes:
        key: Its name in bindings and settings.
        title: What stands at its top.
        text: What stands in a row.
        order: What rows are sorted by; the text when None.
        falls: Sorting begins with the largest.
        is_right: Aligned to the right, as numbers are.
        max_width: Longer texts are cut; None for no limit.
        look: How a row's cell looks: ``dim``, ``good``, ``warning``, ``error``, ``accent``, or "" for plain text.
    """

    key: str
    title: str
    text: Callable[[Row], str]
    order: Callable[[Row], Any] | None = None
    falls: bool = False
    is_right: bool = False
    max_width: int | None = 32
    look: Callable[[Row], str] | None = None


class LineTable(ScrollView, Generic[Row], can_focus=True):
    """A table with a cursor, sorted by one of its columns.

    Rows are told apart by a key, so that the cursor stays with its row when others come and go.

    Args:
        columns: The columns, from left to right.
        key: Tells rows apart.
        dim: Tells rows that are older than they should be, and are drawn grey.
    """

    class Opened(Message):
        """Enter was pressed on a row, or it was clicked while the cursor was there."""

        def __init__(self, table: LineTable[Any], row: Any) -> None:
            super().__init__()
            self.table = table
            self.row = row

        @property
        def control(self) -> LineTable[Any]:
            """The table."""
            return self.table

    class SortChanged(Message):
        """The user chose another column to sort by, or the other direction."""

        def __init__(self, table: LineTable[Any], key: str, falls: bool) -> None:
            super().__init__()
            self.table = table
            self.key = key
            self.falls = falls

        @property
        def control(self) -> LineTable[Any]:
            """The table."""
            return self.table

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header",
        "table--sorted",
        "table--cursor",
        "table--dim",
        "table--good",
        "table--warning",
        "table--error",
        "table--accent",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="table.open", tooltip="Show all about this row"),
        Binding("up,k", "move(-1)", "Up", show=False, id="table.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="table.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="table.pageup"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="table.pagedown"),
        Binding("home,g", "ends(-1)", "First row", show=False, id="table.first"),
        Binding("end,G", "ends(1)", "Last row", show=False, id="table.last"),
        Binding("left", "pan(-8)", "Left", show=False, id="table.left"),
        Binding("right", "pan(8)", "Right", show=False, id="table.right"),
        Binding("less_than_sign", "sort_beside(-1)", "Sort ←", show=False, id="table.sort_left"),
        Binding("greater_than_sign", "sort_beside(1)", "Sort →", show=False, id="table.sort_right"),
        Binding("r", "reverse", "Reverse", show=False, id="table.reverse", tooltip="Sort the other way round"),
    ]

    def __init__(
        self,
        columns: Sequence[Column[Row]],
        key: Callable[[Row], Hashable],
        *,
        dim: Callable[[Row], bool] = lambda row: False,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._key = key
        self._rows: list[Row] = []
        self._dim = dim
        self._is_stale = False
        self._sort: str | None = None
        self._falls = False
        self._cursor = 0
        self._cursor_key: Hashable = None
        self._widths: dict[str, int] = {}
        self._styles: dict[str, Style] = {}

    @property
    def columns(self) -> tuple[Column[Row], ...]:
        """The columns, from left to right."""
        return self._columns

    @columns.setter
    def columns(self, columns: Sequence[Column[Row]]) -> None:
        titles = [(column.key, column.title) for column in columns]
        if titles != [(column.key, column.title) for column in self._columns]:
            self._widths = {}
        self._columns = tuple(columns)
        self._lay_out()

    @property
    def rows(self) -> Sequence[Row]:
        """The rows, as they are sorted."""
        return self._rows

    @property
    def sort_key(self) -> str | None:
        """The column it is sorted by."""
        return self._sort

    @property
    def sort_falls(self) -> bool:
        """Whether the largest comes first."""
        return self._falls

    @property
    def row(self) -> Row | None:
        """The row the cursor is on; None without any rows."""
        return self._rows[self._cursor] if self._rows else None

    def show(self, rows: Iterable[Row], *, is_stale: bool = False) -> None:
        """Show rows, given in any order, in place of those there; all of them grey where all are stale."""
        self._rows = list(rows)
        self._is_stale = is_stale
        self._arrange()

    def sort_by(self, key: str | None, *, falls: bool | None = None) -> None:
        """Sort by a column, in its own direction unless one is given; None keeps rows as they come."""
        column = self._column(key)
        self._sort = column.key if column else None
        self._falls = (bool(column and column.falls)) if falls is None else falls
        self._arrange()

    def _column(self, key: str | None) -> Column[Row] | None:
        return next((column for column in self._columns if column.key == key), None)

    def _arrange(self) -> None:
        was_in_sight = self._is_in_sight
        column = self._column(self._sort)
        if column:
            self._rows.sort(key=column.order or column.text, reverse=self._falls)
        if self._cursor_key is not None:
            found = (index for index, row in enumerate(self._rows) if self._key(row) == self._cursor_key)
            self._cursor = next(found, self._cursor)
        self._cursor = max(0, min(self._cursor, len(self._rows) - 1))
        self._lay_out()
        if was_in_sight and not self._is_in_sight:
            self._bring_into_sight()

    def _lay_out(self) -> None:
        """Make columns as wide as what can be seen in them; they grow, but do not shrink and jump."""
        top = int(self.scroll_y)
        seen = self._rows[top : top + max(1, self.size.height)]
        for column in self._columns:
            width = max(self._widths.get(column.key, 0), cell_len(column.title) + 1)
            for row in seen:
                width = max(width, cell_len(column.text(row)[:MAX_CELL]))
            self._widths[column.key] = min(width, max(column.max_width or width, len(column.title) + 1))
        width = sum(self._widths[column.key] + GAP for column in self._columns)
        size = Size(width, len(self._rows) + HEADER_LINES)
        if size != self.virtual_size:
            self.virtual_size = size
        self.refresh()

    def on_resize(self) -> None:
        """Make columns wide enough for the rows that there is room for now."""
        self._lay_out()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Widen columns for the rows that come into sight."""
        super().watch_scroll_y(old_value, new_value)
        self._lay_out()

    def notify_style_update(self) -> None:
        """Forget the colours of the theme before."""
        super().notify_style_update()
        self._styles = {}

    def _style(self, look: str) -> Style:
        if look not in self._styles:
            self._styles[look] = self.get_component_rich_style(look) if look else self.rich_style
        return self._styles[look]

    def render_line(self, y: int) -> Strip:
        """Draw one line of what can be seen: the titles, or a row."""
        width = self.size.width
        if y < HEADER_LINES:
            strip, style = self._title_strip(), self._style("table--header")
        else:
            index = int(self.scroll_y) + y - HEADER_LINES
            if index >= len(self._rows):
                return Strip.blank(width, self._style(""))
            cursor = self._style("table--cursor") if index == self._cursor and self.has_focus else None
            style = cursor or self._style("")
            strip = self._row_strip(self._rows[index], cursor)
        x = int(self.scroll_x)
        return strip.crop_extend(x, x + width, style)

    def _title_strip(self) -> Strip:
        segments = []
        header, chosen = self._style("table--header"), self._style("table--sorted")
        for column in self._columns:
            is_sorted = column.key == self._sort
            title = column.title + (("▼" if self._falls else "▲") if is_sorted else "")
            segments.append(Segment(self._fitted(column, title), chosen if is_sorted else header))
            segments.append(Segment(" " * GAP, header))
        return Strip(segments)

    def _row_strip(self, row: Row, cursor: Style | None) -> Strip:
        is_dim = self._is_stale or self._dim(row)
        plain = self._style("table--dim" if is_dim else "")
        segments = []
        for column in self._columns:
            look = column.look(row) if column.look and not is_dim else ""
            style = cursor or (self._style(f"table--{look}") if look else plain)
            segments.append(Segment(self._fitted(column, clean(column.text(row)[:MAX_CELL])), style))
            segments.append(Segment(" " * GAP, cursor or plain))
        return Strip(segments)

    def _fitted(self, column: Column[Row], text: str) -> str:
        width = self._widths[column.key]
        length = cell_len(text)
        if length > width:
            return set_cell_size(text, width - 1) + "…"
        return " " * (width - length) + text if column.is_right else text + " " * (width - length)

    def _move_to(self, index: int) -> None:
        self._cursor = max(0, min(index, len(self._rows) - 1))
        row = self.row
        self._cursor_key = None if row is None else self._key(row)
        self._bring_into_sight()
        self.refresh()

    @property
    def _is_in_sight(self) -> bool:
        top = int(self.scroll_y)
        return top <= self._cursor < top + self.size.height - HEADER_LINES

    def _bring_into_sight(self) -> None:
        region = Region(int(self.scroll_x), self._cursor, 1, 1 + HEADER_LINES)
        self.scroll_to_region(region, animate=False, force=True)

    def action_move(self, lines: int) -> None:
        """Move the cursor."""
        self._move_to(self._cursor + lines)

    def action_page(self, pages: int) -> None:
        """Move the cursor by as many rows as can be seen."""
        self._move_to(self._cursor + pages * max(1, self.size.height - HEADER_LINES))

    def action_ends(self, way: int) -> None:
        """Move the cursor to the first or the last row."""
        self._move_to(0 if way < 0 else len(self._rows) - 1)

    def action_pan(self, cells: int) -> None:
        """Show what is beyond the left or right edge."""
        self.scroll_to(x=self.scroll_x + cells, animate=False, force=True)

    def action_open(self) -> None:
        """Open the row the cursor is on."""
        if self._rows:
            self.post_message(self.Opened(self, self._rows[self._cursor]))

    def action_reverse(self) -> None:
        """Sort the other way round."""
        if self._sort is not None:
            self.choose(self._sort, not self._falls)

    def action_sort_beside(self, way: int) -> None:
        """Sort by the next column to the left or right."""
        keys = [column.key for column in self._columns]
        index = keys.index(self._sort) + way if self._sort in keys else 0
        self.choose(keys[index % len(keys)])

    def choose(self, key: str, falls: bool | None = None) -> None:
        """Sort by a column as the user wants it; posts :class:`SortChanged`."""
        self.sort_by(key, falls=falls)
        self.post_message(self.SortChanged(self, key, self._falls))

    def on_click(self, event: events.Click) -> None:
        """Sort by the title clicked, or move the cursor to the row clicked, and open it when it was there already."""
        if event.y < HEADER_LINES:
            key = self._column_at(event.x + int(self.scroll_x))
            if key is not None:
                self.choose(key, not self._falls if key == self._sort else None)
            return
        index = int(self.scroll_y) + event.y - HEADER_LINES
        if index >= len(self._rows):
            return
        if index == self._cursor and self._cursor_key is not None:
            self.action_open()
        else:
            self._move_to(index)

    def _column_at(self, x: int) -> str | None:
        edge = 0
        for column in self._columns:
            edge += self._widths[column.key] + GAP
            if x < edge:
                return column.key
        return None
