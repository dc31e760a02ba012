"""Which messages of a publisher came: nothing is guessed about losses and duplicates.

As long as they come in order and without a gap, a ledger is one number. From the first gap on it keeps a bit for each
message: in a queue group, where each member gets some of them, that is from the start.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

__all__ = ["Arrivals", "Ledger", "count_unique"]

_PAGE = 1024
"""Small, because there is an open page for every publisher at every subscriber."""
_ABSENT, _PRESENT = b"0", b"1"
_ONES = _PRESENT * _PAGE
_MAX_OPEN = 2


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What a ledger holds.

    Attributes:
        whole: All messages below this number came.
        pages: Page number to the bits of the further ones that came; bit 0 is the first message of the page.
    """

    whole: int
    pages: dict[int, int]


class Ledger:
    """What one subscriber got of one publisher.

    Attributes:
        reordered: Messages that came for the first time behind one with a higher number.
    """

    def __init__(self) -> None:
        self.reordered = 0
        self._whole = 0
        self._next = 0
        self._open: dict[int, bytearray] = {}
        self._sealed: dict[int, int] = {}

    def take(self, numbers: list[int]) -> None:
        """Note messages in the order in which they came."""
        first, n = numbers[0], len(numbers)
        is_range = numbers == list(range(first, first + n))
        if is_range and first == self._next == self._whole:
            self._next = self._whole = first + n
        elif is_range:
            self._take_range(first, first + n)
        else:
            self._take_each(numbers)

    def arrivals(self) -> Arrivals:
        """Give what came, in a form that is quick to send."""
        for index in list(self._open):
            self._seal(index)
        return Arrivals(self._whole, self._sealed)

    def _take_range(self, start: int, stop: int) -> None:
        start = max(start, min(stop, self._whole))
        while start < stop:
            index, first = divmod(start, _PAGE)
            n = min(stop - start, _PAGE - first)
            page = self._open.get(index) or self._turn_to(index)
            if start < self._next:
                self.reordered += page.count(_ABSENT, first, first + min(n, self._next - start))
            page[first : first + n] = _ONES[:n]
            start += n
            self._next = max(self._next, start)

    def _take_each(self, numbers: list[int]) -> None:
        following, whole, current, page = self._next, self._whole, -1, bytearray()
        for number in numbers:
            if number < whole:
                continue
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
        if len(self._open) >= _MAX_OPEN:
            self._seal(min(self._open))
        # The first digit of an integer is its highest bit, so that message 0 of a page comes last in it.
        page = self._open[index] = bytearray(f"{self._sealed.pop(index, 0):0{_PAGE}b}"[::-1].encode())
        return page

    def _seal(self, index: int) -> None:
        self._sealed[index] = int(self._open.pop(index)[::-1], 2)


def count_unique(members: Collection[Arrivals]) -> int:
    """Count the different messages of one publisher that the members of a queue group got together."""
    whole = max((member.whole for member in members), default=0)
    union: dict[int, int] = {}
    for member in members:
        for index, bits in member.pages.items():
            union[index] = union.get(index, 0) | bits
    beyond = (bits >> max(0, whole - index * _PAGE) for index, bits in union.items())
    return whole + sum(bits.bit_count() for bits in beyond)
