"""Publishing: messages from a source, at a pace, and the certainty that the server has them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass

from natsctl.ops.connection import Connection
from natsctl.ops.message import Message

__all__ = ["Pace", "Published", "publish_all"]

_FLUSH_EVERY_S = 1.0
"""How long the server's refusal of a message may go unnoticed in a long run."""
_MAX_BACKLOG_S = 0.1
"""After a stall the pace is not made up for beyond this, so that the rate stays smooth."""


@dataclass(slots=True)
class Published:
    """What has been sent so far."""

    messages: int = 0
    bytes: int = 0
    """Bodies only."""
    duration_s: float = 0.0


class Pace:
    """Spaces messages evenly.

    Args:
        interval_s: Seconds from one message to the next; 0 sends as fast as possible.
    """

    def __init__(self, interval_s: float = 0.0) -> None:
        self._interval_s = interval_s
        self._due_mono = time.monotonic()

    async def wait(self) -> None:
        """Return when the next message is due."""
        if self._interval_s:
            now = time.monotonic()
            if self._due_mono > now:
                await asyncio.sleep(self._due_mono - now)
            self._due_mono = max(self._due_mono, now - _MAX_BACKLOG_S) + self._interval_s


async def publish_all(
    connection: Connection,
    messages: AsyncIterable[Message],
    *,
    pace: Pace | None = None,
    on_progress: Callable[[Published], None] = lambda _: None,
) -> Published:
    """Publish everything a source yields, then wait until the server has handled it.

    Args:
        connection: Where to publish.
        messages: What to publish; taken one at a time.
        pace: When each is due.
        on_progress: Called about once a second, after the server has handled what was sent until then.

    Raises:
        AuthError: The server refused a subject.
        NatsctlError: A message is larger than the server takes, or the connection failed.
    """
    pace = pace or Pace()
    done = Published()
    started = flushed = time.monotonic()
    async for message in messages:
        await pace.wait()
        await connection.publish(message.subject, message.body, reply=message.reply, headers=message.headers)
        done.messages += 1
        done.bytes += len(message.body)
        if (now := time.monotonic()) - flushed >= _FLUSH_EVERY_S:
            await connection.flush()
            flushed, done.duration_s = now, now - started
            on_progress(done)
    await connection.flush()
    done.duration_s = time.monotonic() - started
    return done
