"""natsctl: an operations suite for the NATS messaging system.

Importing this package is cheap: the public names are resolved on first use, so that a shell command pays only for
what it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from natsctl.broker import Broker
    from natsctl.config import Options

__version__ = "0.1.0"

__all__ = ["Broker", "Options", "__version__"]

_LAZY = {"Broker": "natsctl.broker", "Options": "natsctl.config"}


def __getattr__(name: str) -> object:
    """Import a public name on first use (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value
