from __future__ import annotations

from array import array

from natsctl.bench.frames import Ring
from natsctl.bench.plan import Plan
from natsctl.bench.stamp import make_key, read_stamps


def times(n: int) -> array[int]:
    return array("Q", range(n))


def test_a_frame_is_a_publish_of_the_size_asked_for() -> None:
    ring = Ring(Plan("hi", size=3), 0)
    assert bytes(ring.take(0, 2, times(2))) == b"PUB hi 3\r\n\0\0\0\r\n" * 2


def test_headers_make_it_an_hpub() -> None:
    block = b"NATS/1.0\r\nA: b\r\n\r\n"
    ring = Ring(Plan("hi", size=1, headers=block), 0)
    assert bytes(ring.take(0, 1, times(1))) == b"HPUB hi 18 19\r\n" + block + b"\0\r\n"


def test_subjects_are_numbered_in_turn_and_equally_long() -> None:
    ring = Ring(Plan("hi", size=0, n_subjects=12, n_publishers=2), 1)
    sent = b"".join(ring.take(number, 1, times(1)) for number in range(13))
    assert sent.split(b"PUB ")[1:] == [b"hi.%02d 0\r\n\r\n" % ((6 + number) % 12) for number in range(13)]


def test_the_ring_is_not_left_in_the_middle_of_a_take() -> None:
    ring = Ring(Plan("hi", size=0), 0)
    whole = len(ring.take(0, 1 << 30, times(1))) // ring.stride
    assert len(ring.take(whole - 1, 5, times(5))) == ring.stride


def test_each_message_carries_its_number_and_time() -> None:
    ring = Ring(Plan("hi", size=20, is_stamped=True, run_id=7), 3)
    taken = bytearray(ring.take(5, 4, array("Q", [70, 71, 72, 73])))
    keys, marks = read_stamps(taken, taken.index(b"\r\n") + 2, ring.stride, 4)
    assert keys == [make_key(3, number) for number in range(5, 9)]
    assert marks == [70, 71, 72, 73]


def test_random_payloads_differ_and_given_ones_are_sent_as_they_are() -> None:
    ring = Ring(Plan("hi", size=16, is_random=True), 0)
    assert bytes(ring.take(0, 1, times(1))) != bytes(ring.take(1, 1, times(1)))
    assert b"hello" in bytes(Ring(Plan("hi", size=5, payload=b"hello"), 0).take(0, 1, times(1)))
