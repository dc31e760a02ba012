"""Answering requests: take them from a queue group, work on several at once, reply to each."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from natsctl.errors import NatsctlError
from natsctl.ops.connection import Connection, Notice
from natsctl.ops.message import Headers, Message
from natsctl.ops.receive import Receiver

__all__ = ["Answer", "Responder", "error_answer", "serve_requests", "service_error"]

_ERROR_HEADER = "Nats-Service-Error"
_ERROR_CODE_HEADER = "Nats-Service-Error-Code"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered with."""

    body: bytes = b""
    headers: Headers = field(default_factory=dict)


Responder = Callable[[Message], Awaitable[Answer]]
"""Works out the answer to a request."""


def error_answer(reason: str, code: int = 500) -> Answer:
    """Make the answer that tells a requestor of a failure, and nothing else.

    Source: ADR-32, error responses of services.
    """
    return Answer(headers={_ERROR_HEADER: [reason], _ERROR_CODE_HEADER: [str(code)]})


def service_error(message: Message) -> str | None:
    """Tell the error a reply stands for, if it does: ``500: out of paper``."""
    reasons = message.headers.get(_ERROR_HEADER)
    code = message.headers.get(_ERROR_CODE_HEADER, ["500"])[0]
    return f"{code}: {reasons[0]}" if reasons else None


async def serve_requests(
    connection: Connection,
    receiver: Receiver,
    respond: Responder,
    *,
    concurrency: int,
    max_sleep_s: float = 0.0,
    on_request: Callable[[Message], Awaitable[None]],
    notice: Notice,
) -> None:
    """Answer every request that arrives, until the receiver ends and the last answer is sent.

    Requests that wait for their turn stay in the receiver, which is bounded.

    Args:
        connection: Where the answers go.
        receiver: Where the requests come from.
        respond: Works out each answer.
        concurrency: Requests worked on at the same time.
        max_sleep_s: A random time up to this passes before each request is worked on.
        on_request: Called when a request is taken up.
        notice: Told of answers that could not be sent.

    Raises:
        AuthError: The server refuses an answer.
        LinkError: The connection failed.
    """
    places = asyncio.Semaphore(concurrency)

    async def handle(request: Message) -> None:
        try:
            await asyncio.sleep(random.uniform(0, max_sleep_s))
            await _send(connection, request, await respond(request), notice)
        finally:
            places.release()

    try:
        async with asyncio.TaskGroup() as working:
            async for batch in receiver.batches():
                for request in batch:
                    await places.acquire()
                    await on_request(request)
                    working.create_task(handle(request))
        await connection.flush()
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _send(connection: Connection, request: Message, answer: Answer, notice: Notice) -> None:
    if not request.reply:
        notice(f'message on "{request.subject}" has no reply subject: not answered')
        return
    try:
        await connection.publish(request.reply, answer.body, headers=answer.headers)
    except NatsctlError as error:
        connection.raise_failure()
        notice(f'cannot answer the request on "{request.subject}": {error}')
        if answer.body:
            refusal = error_answer(str(error))
            await connection.publish(request.reply, headers=refusal.headers)
