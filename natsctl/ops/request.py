"""Requests: one answer, or all answers that come."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from natsctl.errors import NoResponders, RequestTimeout, Shortfall
from natsctl.ops.connection import Connection
from natsctl.ops.message import Message
from natsctl.ops.receive import Receiver, receiving

__all__ = ["Gathering", "Reply", "gather"]


@dataclass(frozen=True, slots=True)
class Gathering:
    """When to stop waiting for replies; whatever comes first ends it.

    The defaults ask for one reply.
    """

    total_s: float
    """Longest wait from the request on."""
    idle_s: float | None = None
    """Longest wait after a reply for the next one; does not shorten the wait for the first."""
    expect: int = 1
    """Replies after which nothing more is waited for; 0 is no limit."""
    until_empty: bool = False
    """An empty reply says that there are no more, and is not counted."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply and how long after the request it came."""

    message: Message
    rtt_s: float


async def gather(
    connection: Connection,
    subject: str,
    body: bytes = b"",
    *,
    headers: Mapping[str, Sequence[str]] | None = None,
    until: Gathering,
) -> AsyncGenerator[Reply, None]:
    """Send a request and yield its replies as they come.

    Raises:
        NoResponders: The server knows that nobody listens on the subject.
        RequestTimeout: No reply came.
        Shortfall: Fewer replies came than are expected.
        AuthError: The server refuses the request, or the inbox for its replies.
    """
    inbox = connection.new_inbox()
    received = 0
    async with receiving(connection, [inbox]) as receiver:
        sent_mono = time.monotonic()
        await connection.publish(subject, body, reply=inbox, headers=headers)
        async for message in _replies(receiver, sent_mono, until):
            if message.is_no_responders:
                raise NoResponders(subject)
            if until.until_empty and not message.body:
                break
            received += 1
            yield Reply(message, message.received_mono - sent_mono)
            if received == until.expect:
                return
        else:
            if not received and until.expect <= 1:
                raise RequestTimeout(subject, until.total_s)
    if received < until.expect:
        text = f'{received} of {until.expect} expected replies on "{subject}"'
        raise Shortfall(text, expected=until.expect, received=received)


async def _replies(receiver: Receiver, sent_mono: float, until: Gathering) -> AsyncIterator[Message]:
    """Yield replies until the time for the next one is over."""
    deadline_mono = sent_mono + until.total_s
    while batch := await receiver.take(deadline_mono - time.monotonic()):
        for message in batch:
            yield message
        if until.idle_s is not None:
            deadline_mono = min(sent_mono + until.total_s, time.monotonic() + until.idle_s)
