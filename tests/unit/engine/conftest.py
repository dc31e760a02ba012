"""Every test of the data plane runs over each engine."""

from __future__ import annotations

from functools import partial

import pytest

from tests.support.rig import ENGINES, MakeRig, Rig


@pytest.fixture(params=ENGINES)
def make_rig(request: pytest.FixtureRequest) -> MakeRig:
    """Make a rig with limits of one's own."""
    return partial(Rig, request.param)


@pytest.fixture
def rig(make_rig: MakeRig) -> Rig:
    """A rig with the usual limits."""
    return make_rig()
