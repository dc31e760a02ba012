"""What a check found: how bad it is, in words and in figures.

Source: the development guidelines of the Monitoring Plugins project, for states, ranges and units.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum

__all__ = ["Figure", "Limits", "Result", "Status", "Unit"]


class Status(IntEnum):
    """How bad it is; the value is the exit code of a plugin."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


class Unit(Enum):
    """Of a figure, as performance data writes it."""

    NONE = ""
    SECONDS = "s"
    BYTES = "B"
    PERCENT = "%"
    COUNTER = "c"
    """Only grows, as long as the server runs."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a figure begins to be bad; `Limits.between` makes them of what an operator gives."""

    warning: float | None = None
    critical: float | None = None
    is_floor: bool = False
    """Bad is below them, not above."""

    @classmethod
    def between(cls, warning: float | None, critical: float | None, *, is_floor: bool = False) -> Limits:
        """Make limits of one or two numbers; where both are given, the critical one is on the bad side.

        Args:
            warning: Where a warning begins, or None.
            critical: Where it becomes critical, or None.
            is_floor: Which side is bad when that does not tell.
        """
        if warning is not None and critical is not None and warning != critical:
            is_floor = critical < warning
        return cls(warning, critical, is_floor)

    def judge(self, value: float) -> Status:
        """Say how bad a value is; one that is exactly at a limit is not."""
        for limit, status in ((self.critical, Status.CRITICAL), (self.warning, Status.WARNING)):
            if limit is not None and (value < limit if self.is_floor else value > limit):
                return status
        return Status.OK


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that was measured.

    Attributes:
        name: What it is, as ``rtt``.
        value: In the unit.
        unit: What it is counted in.
        item: Of what it is, where a check looks at several things.
        limits: Where it begins to be bad.
    """

    name: str
    value: float
    unit: Unit = Unit.NONE
    item: str = ""
    limits: Limits = field(default_factory=Limits)


@dataclass(slots=True)
class Result:
    """What a check found; it grows while the check looks.

    Attributes:
        check: Name of the check.
        target: What was looked at.
        findings: What there is to say, each with how bad it is.
        figures: What was measured.
    """

    check: str
    target: str
    findings: list[tuple[Status, str]] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)

    @property
    def status(self) -> Status:
        """The worst that was found; not to know is worse only than to know of no trouble."""
        order = (Status.CRITICAL, Status.WARNING, Status.UNKNOWN)
        found = {status for status, _ in self.findings}
        return next((status for status in order if status in found), Status.OK)

    def say(self, status: Status, text: str) -> None:
        """Add a finding."""
        self.findings.append((status, text))

    def measure(self, figure: Figure, text: str) -> None:
        """Add a figure, and the finding that it is as good or as bad as its limits say."""
        self.figures.append(figure)
        self.say(figure.limits.judge(figure.value), text)

    def texts(self, status: Status) -> list[str]:
        """Give the findings of one status."""
        return [text for each, text in self.findings if each is status]
