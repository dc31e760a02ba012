"""Pings: is the peer still there, and how far away is it?

Source: nats-server ``client.go`` (processPingTimer, setFirstPingTimer).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from random import uniform

from natsctl.units import format_duration

__all__ = ["Pinger"]

_FIRST_PING_S = 2.0
_FIRST_EAGER_PING_S = 1.0
_FIRST_PING_JITTER = 0.2
_RTT_VALID_S = 3600.0
"""After this long the round trip is measured again, even if the peer is known to be alive."""


class Pinger:
    """The ping timer of one connection.

    Args:
        interval_s: Time from one ping to the next.
        max_out: Pings that may be unanswered.
        kind: How the log names such a connection.
        is_eager: Whether it also pings who was heard of a moment ago, and a new peer after one second, not two.
        send: Sends a PING.
        on_stale: Called when one ping too many is unanswered.
        note: Takes a line for the debug log.
    """

    __slots__ = (
        "_is_eager",
        "_kind",
        "_loop",
        "_made_at",
        "_note",
        "_on_stale",
        "_out",
        "_send",
        "_sent_at",
        "_timer",
        "interval_s",
        "last_heard",
        "max_out",
        "rtt_s",
    )

    def __init__(
        self,
        interval_s: float,
        max_out: int,
        *,
        kind: str,
        is_eager: bool = False,
        send: Callable[[], None],
        on_stale: Callable[[], None],
        note: Callable[[str], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.interval_s = interval_s
        self.max_out = max_out
        self._kind = kind
        self._is_eager = is_eager
        self._send = send
        self._on_stale = on_stale
        self._note = note
        self._out = 0
        # Round trips are not timed by the loop's clock: uvloop's counts milliseconds.
        self._made_at = time.monotonic()
        self._sent_at = 0.0
        self.rtt_s = 0.0
        """Last round trip; before the first ping the time from the accept to the CONNECT."""
        self.last_heard = self._loop.time()
        """When the peer last sent a message or a PING, on the loop's clock."""
        self._timer = self._loop.call_later(interval_s, self._tick)

    def start(self) -> None:
        """Ping again after a stop."""
        self._schedule(self.interval_s)

    def connected(self) -> None:
        """The CONNECT was answered: ping soon, at slightly different times for peers that came together."""
        if self.rtt_s == 0.0:
            self.rtt_s = time.monotonic() - self._made_at
        first_s = _FIRST_EAGER_PING_S if self._is_eager else _FIRST_PING_S
        self._schedule(min(self.interval_s, first_s) * uniform(1, 1 + _FIRST_PING_JITTER))

    def pong(self) -> None:
        """A PONG came."""
        if self._out:
            self._out = 0
            self.rtt_s = time.monotonic() - self._sent_at

    def stop(self) -> None:
        """Ping no more."""
        self._timer.cancel()

    def _schedule(self, delay_s: float) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_later(delay_s, self._tick)

    def _tick(self) -> None:
        self._note(f"{self._kind} Ping Timer")
        quiet_s = self._loop.time() - self.last_heard
        now = time.monotonic()
        wants_rtt = self._sent_at == 0.0 or now - self._sent_at > _RTT_VALID_S
        if quiet_s < self.interval_s and not (wants_rtt or self._is_eager):
            ago = format_duration(round(quiet_s))
            self._note(f"Delaying PING due to remote client data or ping {ago} ago")
        elif self._out + 1 > self.max_out:
            self._note(f"Stale {self._kind} Connection - Closing")
            self._on_stale()
            return
        else:
            self._out += 1
            self._sent_at = now
            self._send()
        self._schedule(self.interval_s)
