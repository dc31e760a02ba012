"""When each message is to be sent: evenly spaced, whatever happened to those before it."""

from __future__ import annotations

import math
from array import array

from natsctl.bench.plan import Plan

__all__ = ["EvenPace", "FullSpeed", "Pace", "make_pace"]

_MIN_WAIT_S = 50e-6
"""Shorter waits would keep a processor busy that the server may need; messages due meanwhile go out together."""


class EvenPace:
    """A fixed schedule.

    Latency counts from the intended time, so what had to wait, in the sender or during an outage, is not left out.

    Units: microseconds since the start of the run.
    """

    def __init__(self, rate: float, first_us: float) -> None:
        self._interval_us = 1e6 / rate
        self._first_us = first_us

    def due(self, now_us: float) -> int:
        """How many messages are to be sent by now, from the first on."""
        return max(0, math.floor((now_us - self._first_us) / self._interval_us) + 1)

    def wait_s(self, number: int, now_us: float) -> float:
        """Seconds until a message is due, but never a wait that costs more than it gains."""
        return max(_MIN_WAIT_S, (self._first_us + number * self._interval_us - now_us) / 1e6)

    def times_us(self, number: int, n: int, now_us: int, *, origin: int = 0) -> array[int]:
        """When n messages are to be sent, from the one with this number on, each with the origin added."""
        del now_us  # the schedule does not ask what time it is
        first_us, interval_us = self._first_us, self._interval_us
        return array("Q", [origin + int(first_us + k * interval_us) for k in range(number, number + n)])


class FullSpeed:
    """No schedule: every message is due, and sent when it is sent."""

    def due(self, now_us: float) -> int:
        """More than there are."""
        del now_us
        return 1 << 62

    def wait_s(self, number: int, now_us: float) -> float:
        """No time at all."""
        del number, now_us
        return 0.0

    def times_us(self, number: int, n: int, now_us: int, *, origin: int = 0) -> array[int]:
        """Now, for all of them, with the origin added."""
        del number
        return array("Q", [origin + now_us]) * n


Pace = EvenPace | FullSpeed


def make_pace(plan: Plan, publisher: int) -> Pace:
    """Give a publisher its share of the rate; the publishers send in turn."""
    if not plan.rate:
        return FullSpeed()
    return EvenPace(plan.rate / plan.n_publishers, publisher * 1e6 / plan.rate)
