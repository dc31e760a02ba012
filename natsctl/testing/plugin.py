"""The pytest plugin: a broker as a fixture.

::

    def test_orders(nats_server):
        service = start_my_service(nats_server.url)

    @pytest.mark.nats_server(max_payload=1024)
    def test_large_orders_are_split(nats_server): ...

pytest loads this module wherever natsctl is installed, so it imports nothing before a test wants a broker.
The fixtures are ordinary functions: they suit tests of any kind, whatever runs their coroutines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from natsctl.testing.thread import BrokerThread

__all__ = ["nats_server", "nats_server_factory", "nats_server_options", "nats_server_session", "pytest_configure"]


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        "nats_server(**options): what the broker of nats_server is told: fields of natsctl.Options, config=<path>, "
        "config_text=<nats.conf>",
    )


@pytest.fixture(scope="session")
def nats_server_options() -> dict[str, Any]:
    """What every broker is told; override it to return what `run_broker` takes.

    An override for ``nats_server_session`` must have session scope, too.
    """
    return {}


@pytest.fixture
def nats_server_factory(nats_server_options: dict[str, Any]) -> Iterator[Callable[..., BrokerThread]]:
    """Start as many brokers as a test needs: takes what `run_broker` takes."""
    with ExitStack() as running:
        yield lambda **options: _start(running, {**nats_server_options, **options})


@pytest.fixture
def nats_server(request: pytest.FixtureRequest, nats_server_factory: Callable[..., BrokerThread]) -> BrokerThread:
    """A broker for one test; the marker ``nats_server`` tells it more."""
    options: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("nats_server"))):  # the nearest one comes first, and wins
        if marker.args:
            pytest.fail(f"the marker nats_server takes options by name, not {marker.args[0]!r}", pytrace=False)
        options |= marker.kwargs
    return nats_server_factory(**options)


@pytest.fixture(scope="session")
def nats_server_session(nats_server_options: dict[str, Any]) -> Iterator[BrokerThread]:
    """A broker that all tests share; with pytest-xdist, those of one worker."""
    with ExitStack() as running:
        yield _start(running, nats_server_options)


def _start(running: ExitStack, options: dict[str, Any]) -> BrokerThread:
    """Start a broker; why it cannot is told without a traceback through its inner works."""
    from natsctl.errors import NatsctlError
    from natsctl.testing.thread import run_broker

    try:
        return running.enter_context(run_broker(**options))
    except (NatsctlError, TypeError) as error:
        pytest.fail(f"the NATS broker of this test cannot start: {error}", pytrace=False)
