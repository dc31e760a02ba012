"""The data plane: bytes in, bytes out.

There are two engines behind one seam (:mod:`natsctl.engine.api`): *pure* is the reference, in plain Python; *native*
has its sublist, its deliveries and its outbox compiled. ``NATSCTL_ENGINE`` chooses between ``auto`` (native where it
was built), ``native`` and ``pure``; :func:`create` makes the one chosen.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

from natsctl.engine.api import Engine, Handler, Limits
from natsctl.errors import EngineError

__all__ = ["available", "create", "describe"]

_COMPILED = ("_sublist", "_outbox", "_native")


def available() -> tuple[str, ...]:
    """The engines of this installation, the best first."""
    built = all(find_spec(f"natsctl.engine.{name}") is not None for name in _COMPILED)
    return ("native", "pure") if built else ("pure",)


def describe() -> str:
    """The name of the engine that :func:`create` makes.

    Raises:
        EngineError: ``NATSCTL_ENGINE`` asks for an engine that is not there.
    """
    wanted = os.environ.get("NATSCTL_ENGINE", "auto") or "auto"
    if wanted not in ("auto", "native", "pure"):
        raise EngineError(f'NATSCTL_ENGINE is "{wanted}"', hint="set it to auto, native or pure")
    engines = available()
    if wanted == "native" and "native" not in engines:
        raise EngineError(
            "NATSCTL_ENGINE asks for the native engine, which was not built",
            hint="install natsctl where there is a C compiler, or set NATSCTL_ENGINE to auto or pure",
        )
    return engines[0] if wanted == "auto" else wanted


def create(handler: Handler, limits: Limits, name: str | None = None) -> Engine:
    """Make the engine of that name; without one the engine that ``NATSCTL_ENGINE`` chooses.

    Raises:
        EngineError: It is not available.
    """
    if (name or describe()) == "native":
        from natsctl.engine.native import NativeEngine

        return NativeEngine(handler, limits)
    from natsctl.engine.pure import PureEngine

    return PureEngine(handler, limits)
