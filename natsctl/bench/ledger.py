"""Which messages of a publisher came, one bit for each: nothing is guessed about losses and duplicates."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Ledger", "count_unique"]

_PAGE = 1 << 16
_ABSENT, _PRESENT = b"0", b"1"
_FULL = (1 << _PAGE) - 1
_ONES = _PRESENT * _PAGE


class Ledger:
    """What one subscriber got of one publisher.

    Numbers lie on pages. The page in use has a digit for each message; those behind it are kept as integers of as many
    bits, and full pages take nothing.

    Attributes:
        reordered: Messages that came for the first time behind one with a higher number.
    """

    def __init__(self) -> None:
        self.reordered = 0
        self._next = 0
        self._open: dict[int, bytearray] = {}
        self._sealed: dict[int, int] = {}

    def take(self, numbers: list[int]) -> None:
        """Note messages in the order in which they came."""
        first = numbers[0]
        if numbers == list(range(first, first + len(numbers))):
            self._take_range(first, first + len(numbers))
        else:
            self._take_each(numbers)

    def _take_range(self, start: int, stop: int) -> None:
        while start < stop:
            index, first = divmod(start, _PAGE)
            n = min(stop - start, _PAGE - first)
            page = self._open.get(index)
            if page is None:
                page = self._turn_to(index)
            if start < self._next:
                self.reordered += page.count(_ABSENT, first, first + min(n, self._next - start))
            page[first : first + n] = _ONES[:n]
            start += n
            self._next = max(self._next, start)

    def pages(self) -> dict[int, int]:
        """Page number to the bits of the messages that came; equal for equal messages, and quick to send."""
        for index in list(self._open):
            self._seal(index)
        return self._sealed

    def _take_each(self, numbers: list[int]) -> None:
        following, current, page = self._next, -1, bytearray()
        for number in numbers:
            index = number // _PAGE
            if index != current:
                current, page = index, self._open.get(index) or self._turn_to(index)
            at = number % _PAGE
            if number >= following:
                following = number + 1
            elif page[at] == _ABSENT[0]:
                self.reordered += 1
            page[at] = _PRESENT[0]
        self._next = following

    def _turn_to(self, index: int) -> bytearray:
        """Open a page, and seal the one that is longest behind."""
        if len(self._open) > 1:
            self._seal(min(self._open))
        bits = self._sealed.pop(index, 0)
        page = self._open[index] = bytearray(f"{bits:0{_PAGE}b}"[::-1].encode() if bits else _ABSENT * _PAGE)
        return page

    def _seal(self, index: int) -> None:
        page = self._open.pop(index)
        # int() reads the first digit as the highest bit, so that message 0 of a page must come last.
        self._sealed[index] = _FULL if page == _ONES else int(page[::-1], 2)


def count_unique(members: Iterable[dict[int, int]]) -> int:
    """Count the different messages that the members of a queue group got together, given their pages."""
    union: dict[int, int] = {}
    for pages in members:
        for index, bits in pages.items():
            union[index] = union.get(index, 0) | bits
    return sum(bits.bit_count() for bits in union.values())
