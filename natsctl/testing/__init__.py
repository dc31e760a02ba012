"""A broker for other people's tests: fixtures for pytest, and `run_broker` for everything else.

pytest finds the fixtures by itself, as soon as natsctl is installed; see `natsctl.testing.plugin`. Nothing else here
needs pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from natsctl.testing.thread import BrokerThread, run_broker

__all__ = ["BrokerThread", "run_broker"]

pytest_plugins = ("natsctl.testing.plugin",)
"""Read by pytest, for which this module is the plugin; so `run_broker` works where pytest is not installed."""


def __getattr__(name: str) -> object:
    """Import a public name on first use: pytest loads this module even where no test needs a broker."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from natsctl.testing import thread

    return getattr(thread, name)
