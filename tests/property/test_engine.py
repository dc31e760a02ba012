"""What holds for any bytes: cuts change nothing, nothing but WireError is raised, and memory stays bounded."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natsctl.engine import grammar
from natsctl.engine.api import Session
from natsctl.engine.permissions import Permissions, Responses, Rule
from natsctl.errors import ClosedReason, WireError
from tests.support.rig import ENGINES, Rig, quiet
from tests.support.scripts import mutate, operation

PERMISSIONS = Permissions(
    publish_deny=[b"foo.bar"], subscribe_deny=[Rule(b"a"), Rule(b"foo.*", b"q")], responses=Responses(2, 0)
)
LIMITS = {"max_control_line": 64, "max_sub_tokens": 4, "max_pending": 4096}
GRANTS: list[dict[str, Any]] = [
    {},
    {"verbose": True, "no_responders": True},
    {"pedantic": True, "echo": False},
    {"headers": False, "max_payload": 20, "max_subscriptions": 2},
    {"permissions": PERMISSIONS, "verbose": True},
]
engines = pytest.mark.parametrize("name", ENGINES)


@st.composite
def dialogues(draw: st.DrawFn) -> bytes:
    """What one client sends: operations, some of them spoilt, and now and then plain garbage."""
    random = Random(draw(st.integers(0, 2**32)))
    data = b"".join(operation(random) for _ in range(draw(st.integers(1, 12))))
    for _ in range(draw(st.integers(0, 2))):
        data = mutate(random, data)
    return data + draw(st.binary(max_size=8))


def outcome(name: str, grant: dict[str, Any], pieces: list[bytes], tracing: bool = False) -> tuple[object, ...]:
    """Everything one can see of a client that sent these pieces, with another one listening."""
    rig = Rig(name, **LIMITS)
    listener, client = rig.client(), rig.client(**grant)
    listener.send(b"SUB > 1\r\nSUB foo q 2\r\nSUB *.bar q 3\r\n")
    rig.recorder.answer = lambda session, document: answer(session, grant, document)
    client.session.tracing = tracing
    for piece in pieces:
        client.send(piece)
    events = [(*event[:-1], without_place(event[-1])) for event in rig.recorder.events]
    session = client.session
    state = (session.closed, session.held, session.pings, list(session.subscriptions()), rig.engine.n_subscriptions())
    return client.drain(), listener.drain(), events, client.counters(), listener.counters(), state


def answer(session: Session, grant: dict[str, Any], document: bytes) -> None:
    if b"verbose" in document:
        session.grant(quiet(**grant))
    else:
        session.fail(WireError(ClosedReason.AUTHENTICATION_FAILURE, wire="Authorization Violation"))


def without_place(detail: object) -> object:
    """A parser error names a place in the last read, and the snippet ends with what has come."""
    return detail.partition(", i=")[0] if isinstance(detail, str) else detail


@engines
@settings(max_examples=500, deadline=None)
@given(data=dialogues(), grant=st.sampled_from(GRANTS), cuts=st.lists(st.integers(0, 600), max_size=6))
def test_cutting_the_input_anywhere_changes_nothing(
    name: str, data: bytes, grant: dict[str, Any], cuts: list[int]
) -> None:
    marks = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    pieces = [data[start:stop] for start, stop in pairwise(marks)]
    assert outcome(name, grant, pieces) == outcome(name, grant, [data])


@engines
@settings(max_examples=200, deadline=None)
@given(data=dialogues(), grant=st.sampled_from(GRANTS), tracing=st.booleans())
def test_byte_by_byte_is_as_good_as_at_once(name: str, data: bytes, grant: dict[str, Any], tracing: bool) -> None:
    pieces = [data[at : at + 1] for at in range(len(data))]
    assert outcome(name, grant, pieces, tracing) == outcome(name, grant, [data], tracing)


@engines
@settings(max_examples=200, deadline=None)
@given(data=dialogues(), grant=st.sampled_from(GRANTS))
def test_tracing_changes_nothing_but_the_trace(name: str, data: bytes, grant: dict[str, Any]) -> None:
    sent, heard, _, *rest = outcome(name, grant, [data], tracing=True)
    assert (sent, heard, *rest) == tuple(each for n, each in enumerate(outcome(name, grant, [data])) if n != 2)


@settings(deadline=None)
@given(st.binary(max_size=64), st.integers(0, 8), st.integers(0, 8))
def test_the_grammar_raises_nothing_but_wire_errors(data: bytes, start: int, offset: int) -> None:
    for parse in (grammar.parse_pub, grammar.parse_hpub, grammar.parse_sub, grammar.parse_unsub):
        try:
            parse(data)
        except WireError as error:
            assert error.log is not None
            assert error.log.isprintable()
    try:
        grammar.scan_verb(data, start, offset)
    except WireError as error:
        assert error.log is not None
        assert error.log.isprintable()


@settings(deadline=None)
@given(st.text(alphabet="0123456789+-_ ٣x.", max_size=12))
def test_a_size_is_one_to_nine_ascii_digits(text: str) -> None:
    is_size = text.isascii() and text.isdigit() and len(text) <= 9
    assert grammar.parse_size(text.encode()) == (int(text) if is_size else -1)


@engines
@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"", b"P"),
        (b"PUB ", b"x"),
        (b"PUB ", b" "),
        (b"SUB", b"\t"),
        (b"PING", b"x"),
        (b"CONNECT {", b"{"),
        (b"INFO ", b"["),
        (b"PUB foo 100001\r\n", b"x"),
        (b"HPUB foo 100001 100001\r\n", b"\n"),
    ],
)
def test_unfinished_input_takes_bounded_memory(name: str, start: bytes, more: bytes) -> None:
    rig = Rig(name)
    client = rig.client(max_payload=100_000)
    piece = more * 65536
    tracemalloc.start()
    try:
        client.send(start)
        for _ in range(200):  # 13 MB
            client.send(piece)
        assert tracemalloc.get_traced_memory()[0] < 500_000
    finally:
        tracemalloc.stop()
    assert client.session.closed is not None


@engines
def test_a_payload_in_many_small_pieces_costs_no_more_than_its_bytes(name: str) -> None:
    client = Rig(name).client(max_payload=-1)
    client.send(b"SUB foo 1\r\nPUB foo 1000000\r\n")
    tracemalloc.start()
    try:
        for _ in range(10_000):
            client.send(b"x" * 100)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()
    client.send(b"\r\n")
    assert [len(frame) for frame in client.received()] == [len(b"MSG foo 1 1000000\r\n") + 1_000_000]
