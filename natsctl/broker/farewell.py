"""The end of every connection, when the broker stops: what was accepted is delivered to those who take it."""

from __future__ import annotations

import asyncio
from collections.abc import Set as AbstractSet
from contextlib import suppress

from natsctl.broker.channel import Channel
from natsctl.errors import ClosedReason

__all__ = ["see_off"]

_PATIENCE_S = 1.0
"""How long a peer may take nothing of what is queued for it."""
_LONGEST_S = 60.0
"""How long those are waited for that take some; an init system that waits for us is not so patient for long."""


async def see_off(channels: AbstractSet[Channel], all_gone: asyncio.Event, reason: ClosedReason) -> None:
    """Close connections once their output has left; who takes nothing for a while is cut off.

    Args:
        channels: Those with a socket; whoever loses it leaves the set.
        all_gone: Set when the last one has left it.
        reason: Why.
    """
    for channel in tuple(channels):
        channel.close(reason)
    clock = asyncio.get_running_loop().time
    deadline = clock() + _LONGEST_S
    unsent: dict[Channel, int] = {}
    while channels and clock() < deadline:
        for channel in tuple(channels):
            before, unsent[channel] = unsent.get(channel), channel.unsent_bytes()
            if before is not None and unsent[channel] >= before:
                channel.abort(reason)
        with suppress(TimeoutError):
            await asyncio.wait_for(all_gone.wait(), _PATIENCE_S)
    for channel in tuple(channels):
        channel.abort(reason)
