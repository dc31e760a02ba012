"""The native engine and the pure one: the same bytes, cut anywhere, give the same events, counters and output."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natsctl.errors import ClosedReason
from tests.property.test_engine import GRANTS, dialogues, outcome
from tests.support.rig import ENGINES, Rig

QUEUE_SUB = re.compile(rb"(?i)(SUB[ \t]+\S+[ \t]+\S+)([ \t]+)(\S+)(?=[ \t]*\r?\n)")
BEST = ENGINES[0]
"""The engine that runs here; where the native one was not built, the pure one is compared with itself."""
EXAMPLES = int(os.environ.get("NATSCTL_DIFFERENTIAL_EXAMPLES", "2000"))


@pytest.mark.timeout(300)
@settings(max_examples=EXAMPLES, deadline=None)
@given(
    data=dialogues(),
    grant=st.sampled_from(GRANTS),
    cuts=st.lists(st.integers(0, 600), max_size=6),
    tracing=st.booleans(),
)
def test_both_engines_say_the_same(data: bytes, grant: dict[str, Any], cuts: list[int], tracing: bool) -> None:
    # Groups of one: who of several members gets a message is chance.
    data = QUEUE_SUB.sub(rb"\1-\3\2\3", data)
    marks = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    pieces = [data[start:stop] for start, stop in pairwise(marks)]
    assert outcome(BEST, grant, pieces, tracing) == outcome("pure", grant, pieces, tracing)


TOKENS = st.sampled_from(["a", "b", "longer-token", "*"])
PATTERNS = st.builds(
    lambda tokens, rest: ".".join([*tokens, ">"] if rest else tokens),
    st.lists(TOKENS, min_size=1, max_size=3),
    st.booleans(),
)
SUBJECTS = st.lists(st.sampled_from(["a", "b", "longer-token", "nobody"]), min_size=1, max_size=4).map(".".join)
MOVES = st.one_of(
    st.tuples(st.just("SUB {0} {1}\r\n"), PATTERNS, st.integers(0, 9)),
    st.tuples(st.just("SUB {0} group-{2}-{1} {1}\r\n"), PATTERNS, st.integers(10, 19)),
    st.tuples(st.just("UNSUB {1}\r\n"), PATTERNS, st.integers(0, 19)),
    st.tuples(st.just("UNSUB {1} 3\r\n"), PATTERNS, st.integers(0, 19)),
    st.tuples(st.just("PUB {0} {1}\r\n\r\n"), SUBJECTS, st.just(0)),
    st.tuples(st.just("PUB {0} reply.{1} 2\r\nhi\r\n"), SUBJECTS, st.integers(0, 9)),
    st.tuples(st.just("leave"), SUBJECTS, st.just(0)),
)


def play(name: str, cache_size: int, moves: list[tuple[int, tuple[str, str, int]]]) -> list[object]:
    """What four clients of one account see; a client that leaves is followed by a new one."""
    rig = Rig(name, cache_size=cache_size)
    clients = [rig.client() for _ in range(4)]
    seen: list[object] = []
    for who, (form, subject, number) in moves:
        if form == "leave":
            clients[who].session.close(ClosedReason.CLIENT_CLOSED)
            clients[who] = rig.client()
        else:
            clients[who].send(form.format(subject, number, who).encode())
        seen.append([client.drain() for client in clients])
    return [*seen, rig.engine.n_subscriptions(), [client.counters() for client in clients]]


@pytest.mark.timeout(300)
@settings(max_examples=EXAMPLES, deadline=None)
@given(cache_size=st.sampled_from([0, 1, 2, 8192]), moves=st.lists(st.tuples(st.integers(0, 3), MOVES), max_size=40))
def test_both_engines_find_the_same_receivers(cache_size: int, moves: list[tuple[int, tuple[str, str, int]]]) -> None:
    assert play(BEST, cache_size, moves) == play("pure", cache_size, moves)
