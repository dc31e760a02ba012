"""Search as one types: all words of the text must be found, anywhere in what a row says of itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

__all__ = ["Searchable", "matching"]


class Searchable(Protocol):
    """A row that can be searched for."""

    @property
    def haystack(self) -> str:
        """Where a search looks, in lower case."""


R = TypeVar("R", bound=Searchable)


def matching(rows: Iterable[R], needle: str) -> list[R]:
    """Keep the rows in which all words of a text are found."""
    words = needle.lower().split()
    return [row for row in rows if all(word in row.haystack for word in words)]
