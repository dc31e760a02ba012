"""What nobody needs any more is freed, circles included."""

from __future__ import annotations

import gc
import weakref

import pytest

from natsctl.engine import create
from natsctl.engine.api import Grant, Limits
from tests.support.rig import ENGINES, Recorder


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_that_is_let_go_is_freed_with_its_subscriptions_and_results(engine: str) -> None:
    recorder = Recorder()
    plane = create(recorder, Limits(), engine)
    plane.open_internal("$G").subscribe(b"inside")
    for _ in range(3):
        session = plane.open(None, Grant(verbose=False, pedantic=False))
        session.feed(b"SUB foo 1\r\nSUB foo.* q 2\r\nSUB > 3\r\nPUB foo 2\r\nhi\r\nPUB foo.bar 2\r\nhi\r\nUNSUB 1\r\n")
    ghost = weakref.ref(recorder)
    del plane, session, recorder
    gc.collect()
    assert ghost() is None
