from natsctl.engine.outbox import Outbox

LIMIT = 256 * 1024


class Filled(Outbox):
    """An outbox filled as a session fills it."""

    def put(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._pieces.append(piece)
            self.pending_bytes += len(piece)


def take_all(outbox: Outbox) -> list[bytes]:
    taken = []
    while outbox.has_output():
        taken.append(bytes(outbox.take()))
    return taken


def test_an_empty_outbox_gives_nothing() -> None:
    outbox = Outbox()
    assert not outbox.has_output()
    assert outbox.take() == b""


def test_small_output_is_taken_at_once_and_in_order() -> None:
    outbox = Filled()
    outbox.put(b"a", b"b", b"c")
    assert take_all(outbox) == [b"abc"]


def test_output_counts_as_pending_until_it_is_sent() -> None:
    outbox = Filled()
    outbox.put(b"abc")
    outbox.take()
    assert outbox.pending_bytes == 3
    outbox.sent(2)
    assert outbox.pending_bytes == 1


def test_large_output_comes_in_bounded_chunks() -> None:
    outbox = Filled()
    data = bytes(range(256)) * 4096
    outbox.put(data, b"tail")
    chunks = take_all(outbox)
    assert all(len(chunk) <= LIMIT for chunk in chunks)
    assert b"".join(chunks) == data + b"tail"


def test_what_comes_while_a_large_chunk_is_taken_stays_behind_it() -> None:
    outbox = Filled()
    outbox.put(b"a" * (LIMIT + 1))
    first = bytes(outbox.take())
    outbox.put(b"b")
    assert first + b"".join(take_all(outbox)) == b"a" * (LIMIT + 1) + b"b"


def test_compacting_changes_neither_bytes_nor_order() -> None:
    outbox = Filled()
    expected = b""
    for number in range(100):
        outbox.put(b"%d," % number, b"%d;" % number)
        expected += b"%d,%d;" % (number, number)
        if number % 3 == 0:
            outbox.compact()
        if number == 50:
            taken = bytes(outbox.take())
    assert taken + b"".join(take_all(outbox)) == expected


def test_dropped_output_no_longer_counts_but_what_was_taken_does() -> None:
    outbox = Filled()
    outbox.put(b"taken")
    outbox.take()
    outbox.put(b"dropped")
    outbox.compact()
    outbox.put(b"too")
    outbox.drop_output()
    assert not outbox.has_output()
    assert outbox.pending_bytes == len(b"taken")
