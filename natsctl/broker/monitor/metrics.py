"""``/metrics``: the broker for Prometheus, counters typed as counters.

Source: our own decision; names follow the conventions of Prometheus, and the README maps them to those of
prometheus-nats-exporter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from natsctl import __version__
from natsctl.broker.connection import Connection
from natsctl.broker.monitor.query import Query
from natsctl.broker.monitor.source import Source
from natsctl.protocol.documents import PROTOCOL_RELEASE

__all__ = ["CONTENT_TYPE", "exposition"]

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_MAX_CONNECTIONS = 1024
"""Shown with ``connections=1``, the oldest: a scrape must stay small."""
_LONGEST_NAME = 128
_PREFIX = "nats_server_"


def exposition(source: Source, query: Query) -> Iterator[bytes]:
    """Write the metrics, one family at a time; those of single connections only for ``connections=1``.

    Raises:
        BadQueryError: A parameter that cannot be meant.
    """
    shows_connections = query.boolean("connections")
    families = chain(_server(source), _limits(source), _connections(source), _traffic(source), _subscriptions(source))
    each = _each_connection(source) if shows_connections else ()
    return (generate_latest(_Family(metric)) for metric in chain(families, each))


class _Family(Collector):
    """One family, for a writer that takes collectors."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterable[Metric]:
        """Give the family."""
        return (self._metric,)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(_PREFIX + name, text, value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(_PREFIX + name, text, value)


def _server(source: Source) -> Iterator[Metric]:
    broker, process = source.broker, source.process
    about = {
        "server_id": source.server_id,
        "server_name": broker.identity.server_name,
        "version": PROTOCOL_RELEASE,
        "natsctl_version": __version__,
        "engine": broker.engine.name,
    }
    info = GaugeMetricFamily(_PREFIX + "info", "Who answers; always 1.", labels=tuple(about))
    info.add_metric(tuple(about.values()), 1)
    yield info
    yield _gauge("up", "Whether the server can be sent work.", 1)
    yield _gauge("start_time_seconds", "When the server started, since 1970.", broker.started_at.timestamp())
    yield _gauge("resident_memory_bytes", "Memory of the process.", process.memory_bytes)
    yield _counter("cpu_seconds", "Processor time used by the process.", process.cpu_s)
    yield _gauge("cores", "Processors of the machine.", process.cores)
    requests = CounterMetricFamily(_PREFIX + "http_requests", "Requests for a monitoring page.", labels=("path",))
    for path, count in sorted(source.requests.items()):
        requests.add_metric((path,), count)
    yield requests


def _limits(source: Source) -> Iterator[Metric]:
    options = source.broker.options
    yield _gauge("max_connections", "Connections allowed; -1 has no limit.", options.max_connections)
    yield _gauge("max_payload_bytes", "Largest payload allowed; -1 has no limit.", options.max_payload)
    yield _gauge("max_pending_bytes", "Output that may wait for one connection.", options.max_pending)
    yield _gauge("max_control_line_bytes", "Longest protocol line allowed.", options.max_control_line)
    yield _gauge("ping_interval_seconds", "Time between pings.", options.ping_interval_s)
    yield _gauge("write_deadline_seconds", "How long output may wait.", options.write_deadline_s)


def _connections(source: Source) -> Iterator[Metric]:
    broker = source.broker
    registry = broker.registry
    yield _gauge("connections", "Open client connections.", len(registry.open))
    yield _counter("accepted_connections", "Client connections accepted.", registry.total)
    closed = CounterMetricFamily(
        _PREFIX + "closed_connections", "Client connections closed, by reason.", labels=("reason",)
    )
    for reason, count in sorted(registry.closed_by_reason.items(), key=lambda each: each[0].value):
        closed.add_metric((reason.value,), count)
    yield closed
    yield _counter("slow_consumers", "Connections closed because they read too slowly.", broker.slow_consumers.total())
    yield _counter(
        "stale_connections", "Connections closed because pings went unanswered.", broker.stale_connections.total()
    )
    yield _gauge("routes", "Open connections of routes.", len(broker.mesh.routes))
    yield _gauge("leafnodes", "Open connections of leafnodes.", len(broker.leafnodes.joined))


_TRAFFIC = (
    ("received_messages", "Messages received from clients.", "in_msgs"),
    ("received_bytes", "Payload bytes received from clients.", "in_bytes"),
    ("sent_messages", "Messages sent to clients.", "out_msgs"),
    ("sent_bytes", "Payload bytes sent to clients.", "out_bytes"),
    ("producer_stalls", "Times a producer ran into a receiver that was nearly full.", "stalls"),
)


def _traffic(source: Source) -> Iterator[Metric]:
    by_account = sorted(source.broker.registry.traffic().items())
    for name, text, attribute in _TRAFFIC:
        metric = CounterMetricFamily(_PREFIX + name, text, labels=("account",))
        for account, traffic in by_account:
            metric.add_metric((account,), getattr(traffic, attribute))
        yield metric


def _subscriptions(source: Source) -> Iterator[Metric]:
    engine = source.broker.engine
    held = GaugeMetricFamily(_PREFIX + "subscriptions", "Subscriptions held.", labels=("account",))
    for account in source.accounts:
        held.add_metric((account,), engine.n_subscriptions(account))
    yield held
    stats = engine.sublist_stats()
    yield _gauge("sublist_cache_entries", "Subjects whose receivers are remembered.", stats.n_cache)
    yield _gauge("sublist_max_fanout", "Receivers of the widest remembered subject.", stats.max_fanout)
    yield _counter("sublist_inserts", "Subscriptions made.", stats.n_inserts)
    yield _counter("sublist_removes", "Subscriptions ended.", stats.n_removes)
    yield _counter("sublist_matches", "Subjects looked up.", stats.n_matches)
    yield _counter("sublist_cache_hits", "Subjects looked up that were remembered.", stats.n_hits)


_OF_A_CONNECTION = (
    (GaugeMetricFamily, "connection_pending_bytes", "Output that waits for a connection.", "pending_bytes"),
    (GaugeMetricFamily, "connection_subscriptions", "Subscriptions of a connection.", "n_subscriptions"),
    (CounterMetricFamily, "connection_received_messages", "Messages received from a connection.", "in_msgs"),
    (CounterMetricFamily, "connection_received_bytes", "Payload bytes received from a connection.", "in_bytes"),
    (CounterMetricFamily, "connection_sent_messages", "Messages sent to a connection.", "out_msgs"),
    (CounterMetricFamily, "connection_sent_bytes", "Payload bytes sent to a connection.", "out_bytes"),
)


def _each_connection(source: Source) -> Iterator[Metric]:
    shown = list(islice(source.broker.registry.open.values(), _MAX_CONNECTIONS))
    for kind, name, text, attribute in _OF_A_CONNECTION:
        metric = kind(_PREFIX + name, text, labels=("cid", "name", "account"))
        for connection in shown:
            metric.add_metric(_labels(connection), getattr(connection.session, attribute))
        yield metric


def _labels(connection: Connection) -> tuple[str, str, str]:
    return str(connection.cid), connection.name[:_LONGEST_NAME], connection.session.account
