"""A broker for other people's tests: fixtures for pytest, and `run_broker` for everything else.

pytest finds the fixtures by itself, as soon as natsctl is installed; see `natsctl.testing.plugin`. Nothing else here
needs pytest.
"""

from natsctl.testing.thread import BrokerThread, run_broker

__all__ = ["BrokerThread", "run_broker"]

pytest_plugins = ("natsctl.testing.plugin",)
"""Read by pytest, for which this module is the plugin; so `run_broker` works where pytest is not installed."""
