"""What is measured, and the figures to hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from natsctl.errors import UsageError

__all__ = ["FIGURES", "ROWS", "Command", "Figure", "Load", "Row", "Target", "select"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One kind of number that a run gives.

    Attributes:
        unit: Of the absolute number.
        is_ratio: Whether ours is shown, and held to its target, as a multiple of nats-server's.
        more_is_better: Whether a target is a lower limit.
    """

    name: str
    unit: str
    is_ratio: bool = True
    more_is_better: bool = False


FIGURES = {
    "rate": Figure("rate", "/s", more_is_better=True),
    "cpu_us": Figure("CPU per message", "µs"),
    "p50_us": Figure("p50", "µs"),
    "p99_us": Figure("p99", "µs"),
    "connection_kib": Figure("memory of each", "KiB", is_ratio=False),
    "start_ms": Figure("time", "ms", is_ratio=False),
}
"""Rates count what is delivered, or what is published where nothing is; CPU is the server's per message published."""


@dataclass(frozen=True, slots=True)
class Target:
    """What an engine is held to: a multiple of nats-server's figure, or a number, as the figure says."""

    figure: str
    limit: float

    def is_met(self, value: float) -> bool:
        """Whether a median holds it."""
        return value >= self.limit if FIGURES[self.figure].more_is_better else value <= self.limit


@dataclass(frozen=True, slots=True)
class Load:
    """A run of the load generator.

    Attributes:
        kind: ``flood``, ``requests`` or ``idle``.
        options: Further ones of the generator.
        link: What is between the server published to and that of the subscribers: ``route``, ``leafnode``; empty when
            they are one.
    """

    kind: str
    options: tuple[str, ...] = ()
    tls: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A natsctl command, timed from nothing to its end; ``{url}`` is where the server is."""

    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        figures: What is shown of it, the first one being what it is about.
        targets: Engine to what it is held to.
    """

    name: str
    title: str
    work: Load | Command
    figures: tuple[str, ...] = ("rate", "cpu_us")
    targets: Mapping[str, tuple[Target, ...]] = field(default_factory=dict)


def _flood(*options: str, tls: bool = False, link: str = "") -> Load:
    return Load("flood", options, tls, link)


def _hold(rate: float, pure: float | None = None, **native: float) -> Mapping[str, tuple[Target, ...]]:
    """Targets of both engines: rates, and what more the native one is held to."""
    targets = {"native": (Target("rate", rate), *(Target(figure, limit) for figure, limit in native.items()))}
    return targets if pure is None else targets | {"pure": (Target("rate", pure),)}


def _both(figure: str, limit: float) -> Mapping[str, tuple[Target, ...]]:
    return {engine: (Target(figure, limit),) for engine in ("native", "pure")}


_ONE, _TEN = ("--subscribers", "1"), ("--subscribers", "10")

ROWS = (
    Row(
        "mixed",
        "mixed subjects and sizes, 1:1",
        _flood("--subjects", "mixed", *_ONE),
        targets=_hold(3, 0.2, cpu_us=0.35),
    ),
    Row("pub16", "16 B, publish only", _flood("--size", "16"), targets=_hold(3.5, 0.3)),
    Row("one16", "16 B, 1:1", _flood("--size", "16", *_ONE), targets=_hold(6, 0.3)),
    Row("fan16", "16 B, fan-out 10", _flood("--size", "16", *_TEN), targets=_hold(8, 0.3)),
    Row("queue16", "16 B, queue group of 4", _flood("--queue", "--subscribers", "4"), targets=_hold(6, 0.3)),
    Row("headers16", "16 B and headers, 1:1", _flood("--size", "16", "--headers", *_ONE), targets=_hold(5, 0.3)),
    Row("one128", "128 B, 1:1", _flood("--size", "128", *_ONE), targets=_hold(3.5)),
    Row("fan128", "128 B, fan-out 10", _flood("--size", "128", *_TEN), targets=_hold(5)),
    Row("pub1k", "1 KiB, publish only", _flood("--size", "1024"), targets=_hold(1.1, 0.5)),
    Row("one1k", "1 KiB, 1:1", _flood("--size", "1024", *_ONE), targets=_hold(1.4, 0.5)),
    Row("fan1k", "1 KiB, fan-out 10", _flood("--size", "1024", *_TEN), targets=_hold(1.5, 0.5)),
    Row("hit", "10 k wildcards, 100 k subjects", _flood("--subjects", "devices", *_ONE), targets=_hold(4)),
    Row("miss", "10 k wildcards, no match", _flood("--subjects", "unmatched", *_ONE), targets=_hold(1)),
    Row(
        "requests",
        "requests, 50 at once",
        Load("requests", ("--requesters", "50")),
        figures=("rate", "p50_us", "p99_us", "cpu_us"),
        targets=_hold(1.5, p99_us=0.5),
    ),
    Row("tls128", "TLS, 128 B, 1:1", _flood("--size", "128", *_ONE, tls=True), targets=_hold(2)),
    Row(
        "route128",
        "over a route, 128 B, 1:1",
        _flood("--size", "128", *_ONE, link="route"),
        targets=_hold(1.5),
    ),
    Row(
        "leaf128",
        "over a leafnode, 128 B, 1:1",
        _flood("--size", "128", *_ONE, link="leafnode"),
        targets=_hold(1.5),
    ),
    Row(
        "idle",
        "5,000 idle connections",
        Load("idle", ("--connections", "5000")),
        figures=("connection_kib",),
        targets={"native": (Target("connection_kib", 10),)},
    ),
    Row("version", "natsctl --version", Command(("--version",)), ("start_ms",), _both("start_ms", 120)),
    Row(
        "pub",
        "natsctl pub",
        Command(("pub", "-s", "{url}", "greetings", "hello")),
        ("start_ms",),
        _both("start_ms", 350),
    ),
)
"""Mixed traffic comes first, because it is what servers see; all others repeat one kind of message."""


def select(names: str) -> tuple[Row, ...]:
    """The rows of a list such as ``pub16,requests``, all for an empty one; mixed traffic is always among them.

    Raises:
        UsageError: There is no such row.
    """
    wanted = {name.strip() for name in names.split(",") if name.strip()} or {row.name for row in ROWS}
    if unknown := sorted(wanted - {row.name for row in ROWS}):
        raise UsageError(f'no row "{unknown[0]}" (there are {", ".join(row.name for row in ROWS)})')
    return tuple(row for row in ROWS if row.name in wanted | {"mixed"})
