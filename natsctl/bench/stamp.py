"""The sixteen bytes at the front of a payload: which message of which publisher, and when it was to be sent.

Shape: two little-endian words of 64 bits. The *key* is the publisher (16 bits) and the number of its message (48 bits),
so that consecutive messages have consecutive keys; the *mark* is the run (24 bits) and the microseconds since the start
(40 bits, twelve days). Thousands of messages of equal size are stamped, and read, byte column by byte column.
Source: our own.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence

__all__ = [
    "MAX_RUN_ID",
    "SEQUENCE_BITS",
    "STAMP_BYTES",
    "TIME_BITS",
    "by_publisher",
    "make_key",
    "make_mark",
    "read_stamps",
    "split_key",
    "write_stamps",
]

STAMP_BYTES = 16
SEQUENCE_BITS = 48
TIME_BITS = 40
MAX_RUN_ID = (1 << (64 - TIME_BITS)) - 1
_WORD = 8


def make_key(publisher: int, sequence: int) -> int:
    """Join a publisher and the number of one of its messages."""
    return publisher << SEQUENCE_BITS | sequence


def split_key(key: int) -> tuple[int, int]:
    """Part a key into publisher and number."""
    return key >> SEQUENCE_BITS, key & ((1 << SEQUENCE_BITS) - 1)


def make_mark(run_id: int, time_us: int) -> int:
    """Join a run and a time since its start."""
    return run_id << TIME_BITS | time_us


def write_stamps(frames: bytearray, first: int, stride: int, keys: Sequence[int], marks: array[int]) -> None:
    """Stamp frames of equal length.

    Args:
        frames: The frames, one behind the other.
        first: Where the stamp of the first one goes.
        stride: Length of a frame.
        keys: One for each frame.
        marks: One for each frame.
    """
    span = (len(keys) - 1) * stride + 1
    for at, words in ((first, keys), (first + _WORD, marks)):
        raw = _swapped(array("Q", words)).tobytes()
        for byte in range(_WORD):
            frames[at + byte : at + byte + span : stride] = raw[byte::_WORD]


def read_stamps(data: bytearray, first: int, stride: int, n: int) -> tuple[list[int], list[int]]:
    """Read the keys and the marks of n frames of equal length."""
    span = (n - 1) * stride + 1
    columns = []
    for at in (first, first + _WORD):
        raw = bytearray(_WORD * n)
        for byte in range(_WORD):
            raw[byte::_WORD] = data[at + byte : at + byte + span : stride]
        columns.append(_swapped(array("Q", raw)).tolist())
    return columns[0], columns[1]


def by_publisher(keys: list[int]) -> dict[int, list[int]]:
    """Part keys into the numbers of each publisher's messages, in their order."""
    first, start = split_key(keys[0])
    if min(keys) >> SEQUENCE_BITS == max(keys) >> SEQUENCE_BITS:
        origin = keys[0] - start
        return {first: [key - origin for key in keys] if origin else keys}
    parted: dict[int, list[int]] = {}
    for publisher, number in map(split_key, keys):
        parted.setdefault(publisher, []).append(number)
    return parted


def _swapped(words: array[int]) -> array[int]:
    if sys.byteorder == "big":
        words.byteswap()
    return words
