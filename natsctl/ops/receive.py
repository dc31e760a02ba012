"""Receiving: the messages of one or more subscriptions in one bounded queue."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Sequence

from nats import errors as nats_errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from natsctl.errors import UsageError
from natsctl.ops.client import to_message
from natsctl.ops.connection import Connection
from natsctl.ops.message import Message
from natsctl.protocol.subject import covers, is_valid

__all__ = ["MAX_PENDING_BYTES", "Receiver", "receiving"]

MAX_PENDING_BYTES = 128 * 1024 * 1024
"""What may wait for a slow taker before further messages are dropped."""
_MESSAGE_BYTES = 512
"""What a message takes besides its body, counted so that empty ones are bounded as well."""
_BATCH_BYTES = 4 * 1024 * 1024


@contextlib.asynccontextmanager
async def receiving(
    connection: Connection,
    subjects: Sequence[str],
    *,
    queue: str = "",
    max_msgs: int = 0,
    ignore: Sequence[str] = (),
) -> AsyncIterator[Receiver]:
    """Subscribe to subjects, and unsubscribe at the end.

    Args:
        connection: Where to subscribe.
        subjects: Subjects, perhaps with wildcards.
        queue: Queue group to share the messages with.
        max_msgs: Receive no more than this many; 0 is no limit.
        ignore: Subjects to leave out, uncounted.

    Raises:
        UsageError: A subject, or the queue group, is none.
        AuthError: The server refuses a subscription.
    """
    receiver = Receiver(connection, max_msgs, ignore)
    try:
        for subject in subjects:
            await receiver.add(subject, queue)
        await connection.flush()
        yield receiver
    finally:
        await receiver.unsubscribe()


class Receiver:
    """Takes what arrives into a bounded queue; `batches` hands it out.

    Attributes:
        dropped: Messages that were thrown away because the queue was full.
    """

    def __init__(self, connection: Connection, max_msgs: int = 0, ignore: Sequence[str] = ()) -> None:
        self.dropped = 0
        self._connection = connection
        self._max_msgs = max_msgs
        self._ignored = [pattern.encode() for pattern in ignore]
        if invalid := [pattern.decode() for pattern in self._ignored if not is_valid(pattern)]:
            raise UsageError(f'invalid subject "{invalid[0]}" to ignore')
        self._arrived = 0
        self._pending: deque[Message] = deque()
        self._pending_bytes = 0
        self._subscriptions: list[Subscription] = []
        self._changed = asyncio.Event()
        self._stopped = False

    async def add(self, subject: str, queue: str = "") -> None:
        """Subscribe to one more subject."""
        # The server cannot know which messages are ignored, and would count them.
        max_msgs = 0 if self._ignored else self._max_msgs
        subscription = await self._connection.subscribe(subject, self._receive, queue=queue, max_msgs=max_msgs)
        self._subscriptions.append(subscription)

    async def unsubscribe(self) -> None:
        """End the subscriptions; what has arrived stays."""
        for subscription in self._subscriptions:
            # Over already: the server ended it after max_msgs, or there is no connection to unsubscribe on.
            with contextlib.suppress(nats_errors.Error):
                await subscription.unsubscribe()
        self._subscriptions.clear()

    async def drain(self) -> None:
        """End the subscriptions; `take` still hands out what the server has sent until then."""
        subscriptions, self._subscriptions = self._subscriptions, []
        if self._connection.is_up:
            with contextlib.suppress(nats_errors.Error):
                await asyncio.gather(*(_drain(subscription) for subscription in subscriptions))
        self._stopped = True
        self._changed.set()

    async def take(self, wait_s: float | None = None) -> list[Message]:
        """Wait for messages; none when there will be no more, or when nothing came for ``wait_s``.

        Raises:
            NatsctlError: The connection failed.
        """
        if not self._pending and not self.is_complete:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._connection.guard(self._changed.wait()), wait_s)
        batch: list[Message] = []
        target_bytes = self._pending_bytes - _BATCH_BYTES
        while self._pending and self._pending_bytes > target_bytes:
            batch.append(self._pending.popleft())
            self._pending_bytes -= _MESSAGE_BYTES + len(batch[-1].body)
        return batch

    async def batches(self, *, idle_s: float | None = None) -> AsyncIterator[list[Message]]:
        """Yield what arrives, in order and as soon as it is there.

        Ends after ``max_msgs`` messages (dropped ones count), after `drain`, and when nothing comes for ``idle_s``.
        """
        while not self.is_complete:
            batch = await self.take(idle_s)
            if batch:
                yield batch
            elif not self.is_complete:
                await self.drain()

    @property
    def is_complete(self) -> bool:
        """Whether everything that will ever come has been taken."""
        everything = self._max_msgs and self._arrived >= self._max_msgs
        return not self._pending and bool(everything or self._stopped)

    async def _receive(self, msg: Msg) -> None:
        """Take one message; must not wait: nats-py ends a subscription at the first wait after ``max_msgs``."""
        if self._max_msgs and self._arrived >= self._max_msgs:
            return  # several subscriptions may bring more than was asked for in total
        if self._ignored and any(covers(pattern, msg.subject.encode()) for pattern in self._ignored):
            return
        self._arrived += 1
        size = _MESSAGE_BYTES + len(msg.data)
        if self._pending_bytes + size > MAX_PENDING_BYTES:
            self.dropped += 1
        else:
            self._pending.append(to_message(msg))
            self._pending_bytes += size
        self._changed.set()


async def _drain(subscription: Subscription) -> None:
    await subscription.drain()  # type: ignore[no-untyped-call]  # nats-py has no annotation here
