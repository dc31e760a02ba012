from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from natsctl.bench.stamp import (
    MAX_RUN_ID,
    SEQUENCE_BITS,
    STAMP_BYTES,
    TIME_BITS,
    by_publisher,
    make_key,
    make_mark,
    read_stamps,
    split_key,
    write_stamps,
)

words = st.integers(0, (1 << 64) - 1)


@given(
    st.lists(st.tuples(words, words), min_size=1, max_size=50),
    st.integers(0, 40),
    st.integers(0, 40),
)
def test_what_is_stamped_is_read_back_and_nothing_else_changes(
    stamps: list[tuple[int, int]], before: int, behind: int
) -> None:
    stride = before + STAMP_BYTES + behind
    frames = bytearray(b"\xaa" * stride * len(stamps))
    keys, marks = [key for key, _ in stamps], [mark for _, mark in stamps]
    write_stamps(frames, before, stride, keys, array("Q", marks))
    assert read_stamps(frames, before, stride, len(stamps)) == (keys, marks)
    for at in range(0, len(frames), stride):
        assert frames[at : at + before] == b"\xaa" * before
        assert frames[at + before + STAMP_BYTES : at + stride] == b"\xaa" * behind


def test_the_bytes_are_two_little_endian_words() -> None:
    frame = bytearray(STAMP_BYTES)
    write_stamps(frame, 0, STAMP_BYTES, [make_key(0x0102, 3)], array("Q", [make_mark(0x0A0B0C, 4)]))
    assert frame == bytes.fromhex("03000000000002010400000000 0c0b0a".replace(" ", ""))


@given(st.integers(0, (1 << 16) - 1), st.integers(0, (1 << SEQUENCE_BITS) - 1))
def test_a_key_keeps_publisher_and_number(publisher: int, number: int) -> None:
    assert split_key(make_key(publisher, number)) == (publisher, number)


def test_the_greatest_run_and_time_fill_a_word() -> None:
    assert make_mark(MAX_RUN_ID, (1 << TIME_BITS) - 1) == (1 << 64) - 1


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1000)), min_size=1, max_size=100))
def test_keys_part_into_publishers_and_keep_their_order(pairs: list[tuple[int, int]]) -> None:
    parted = by_publisher([make_key(*pair) for pair in pairs])
    assert set(parted) == {publisher for publisher, _ in pairs}
    for publisher, numbers in parted.items():
        assert numbers == [number for other, number in pairs if other == publisher]
