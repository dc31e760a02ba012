from __future__ import annotations

import asyncio
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natsctl.errors import UsageError
from natsctl.ops.lines import read_lines, read_whole


def through_a_pipe(pieces: list[bytes], max_bytes: int) -> list[tuple[int, bytes]]:
    """Read lines that are written piece by piece."""
    reading, writing = os.pipe()

    def write() -> None:
        for piece in pieces:
            os.write(writing, piece)
        os.close(writing)

    async def read() -> list[tuple[int, bytes]]:
        return [line async for line in read_lines(reading, max_bytes)]

    writer = threading.Thread(target=write)
    writer.start()
    try:
        return asyncio.run(read())
    finally:
        writer.join()
        os.close(reading)


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_lines_do_not_depend_on_how_they_arrive(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    expected = [line.removesuffix(b"\r") for line in whole.split(b"\n")]
    if not whole or whole.endswith(b"\n"):
        expected.pop()
    elif whole.endswith(b"\r"):
        expected[-1] += b"\r"  # only a line end loses its \r
    assert through_a_pipe(pieces, 1000) == list(enumerate(expected, 1))


def test_too_long_a_line_is_named_before_it_is_whole() -> None:
    assert through_a_pipe([b"12345\r\n"], 5) == [(1, b"12345")]
    with pytest.raises(UsageError, match="line 2 is longer than 5 bytes"):
        through_a_pipe([b"ok\n", b"1234567"], 5)


async def test_too_long_an_input_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("input") / "file"
    path.write_bytes(b"x" * 100)
    with path.open("rb") as file:
        assert await read_whole(file.fileno(), 100) == b"x" * 100
    with path.open("rb") as file, pytest.raises(UsageError, match="99 bytes"):
        await read_whole(file.fileno(), 99)
