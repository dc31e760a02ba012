"""The data plane: bytes in, bytes out.

``NATSCTL_ENGINE`` chooses between ``auto``, ``native`` and ``pure``; :func:`create` makes the one chosen.
"""

from __future__ import annotations

import os

from natsctl.engine.api import Engine, Handler, Limits
from natsctl.errors import EngineError

__all__ = ["create", "describe"]


def describe() -> str:
    """The name of the engine that :func:`create` makes.

    Raises:
        EngineError: ``NATSCTL_ENGINE`` asks for an engine that is not there.
    """
    wanted = os.environ.get("NATSCTL_ENGINE", "auto") or "auto"
    if wanted not in ("auto", "native", "pure"):
        raise EngineError(f'NATSCTL_ENGINE is "{wanted}"', hint="set it to auto, native or pure")
    if wanted == "native":
        raise EngineError(
            "NATSCTL_ENGINE asks for the native engine, which this version does not have",
            hint="unset NATSCTL_ENGINE, or set it to auto or pure",
        )
    return "pure"


def create(handler: Handler, limits: Limits) -> Engine:
    """Make the engine that ``NATSCTL_ENGINE`` chooses.

    Raises:
        EngineError: It is not available.
    """
    describe()
    from natsctl.engine.pure import PureEngine

    return PureEngine(handler, limits)
