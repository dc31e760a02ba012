"""A tour of what NATS does: six small scenes, played on a real server, with what was seen in each.

A small shop serves as the story. Every scene opens its own connections, checks what it sees, and closes them.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import TypeVar

from natsctl.errors import NatsctlError, NoResponders
from natsctl.ops.connection import Connection, connect
from natsctl.ops.message import Headers, Message
from natsctl.ops.receive import Receiver, receiving
from natsctl.ops.reply import Answer, serve_requests
from natsctl.ops.request import Gathering, gather
from natsctl.ops.settings import Settings

__all__ = ["Asked", "Gathered", "Heard", "Labelled", "Scene", "Shared", "Spread", "Unanswered", "take_tour"]

T = TypeVar("T")

_TIMEOUT_S = 5.0
_N_TASKS = 300
_N_WORKERS = 3
_STOCK = ("north: 12 bags", "south: 3 bags", "harbour: 40 bags")


@dataclass(frozen=True, slots=True)
class Spread:
    """Publish and subscribe: every subscription gets the messages it matches."""

    published: tuple[str, ...]
    """Subjects, in order."""
    received: dict[str, tuple[str, ...]]
    """Subscription to the subjects of what it got."""
    duration_s: float


@dataclass(frozen=True, slots=True)
class Labelled:
    """Headers: what is said about a message travels beside its body."""

    subject: str
    headers: Headers
    body: str


@dataclass(frozen=True, slots=True)
class Shared:
    """A queue group: each message goes to one of its members."""

    subject: str
    queue: str
    published: int
    received: tuple[int, ...]
    """Messages by member."""
    duration_s: float


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer, and how long after the request it came."""

    body: str
    rtt_s: float


@dataclass(frozen=True, slots=True)
class Asked:
    """Request and reply."""

    subject: str
    request: str
    answer: Heard


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request that nobody listens for."""

    subject: str
    wait_s: float
    """How long it took to learn that."""
    timeout_s: float
    """How long it would have taken otherwise."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """One request, and the replies of everybody who listens."""

    subject: str
    request: str
    answers: tuple[Heard, ...]
    """In the order in which they came."""


Scene = Spread | Labelled | Shared | Asked | Unanswered | Gathered
"""What was seen in one scene."""


async def take_tour(settings: Settings) -> AsyncIterator[tuple[str, Scene]]:
    """Play every scene on a server that nobody else uses; yield its name and what was seen in it.

    Raises:
        NatsctlError: A scene failed; the message names it.
    """
    for name, play in _SCENES.items():
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                scene = await play(settings)
        except TimeoutError:
            raise NatsctlError(f'"{name}" failed: not finished within {_TIMEOUT_S:g} s') from None
        except NatsctlError as error:
            raise NatsctlError(f'"{name}" failed: {error}', hint=error.hint) from error
        yield name, scene


async def _publish_and_subscribe(settings: Settings) -> Spread:
    published = ("orders.eu.new", "orders.us.new", "orders.eu.paid")
    expected = {
        "orders.eu.new": published[:1],
        "orders.*.new": published[:2],
        "orders.eu.*": (published[0], published[2]),
        "orders.>": published,
    }
    async with AsyncExitStack() as stack:
        receivers = {subject: await _subscriber(stack, settings, subject) for subject in expected}
        publisher = await stack.enter_async_context(connect(settings))
        started_mono = time.monotonic()
        for subject in published:
            await publisher.publish(subject, b"tea")
        await publisher.flush()
        messages = {subject: await _rest(receiver) for subject, receiver in receivers.items()}
        duration_s = time.monotonic() - started_mono
    received = {subject: tuple(message.subject for message in found) for subject, found in messages.items()}
    _check("messages by subscription", received, expected)
    return Spread(published, received, duration_s)


async def _headers(settings: Settings) -> Labelled:
    headers: Headers = {"Priority": ["high"], "Packed-By": ["north", "harbour"]}
    async with AsyncExitStack() as stack:
        receiver = await _subscriber(stack, settings, "orders.>")
        publisher = await stack.enter_async_context(connect(settings))
        await publisher.publish("orders.eu.new", b"tea, 2 bags", headers=headers)
        await publisher.flush()
        found = await _rest(receiver)
    _check("headers", [message.headers for message in found], [headers])
    return Labelled(found[0].subject, found[0].headers, found[0].body.decode())


async def _queue_group(settings: Settings) -> Shared:
    subject, queue = "orders.pack", "packers"
    tasks = [b"order %d" % number for number in range(1, _N_TASKS + 1)]
    async with AsyncExitStack() as stack:
        workers = [await _subscriber(stack, settings, subject, queue) for _ in range(_N_WORKERS)]
        publisher = await stack.enter_async_context(connect(settings))
        started_mono = time.monotonic()
        for task in tasks:
            await publisher.publish(subject, task)
        await publisher.flush()
        found = [await _rest(worker) for worker in workers]
        duration_s = time.monotonic() - started_mono
    _check("messages of all members", sorted(message.body for each in found for message in each), sorted(tasks))
    return Shared(subject, queue, len(tasks), tuple(len(each) for each in found), duration_s)


async def _request_and_reply(settings: Settings) -> Asked:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_service(settings, "price", "tea costs 4.20"))
        requestor = await stack.enter_async_context(connect(settings))
        answers = await _ask(requestor, "price", "tea", Gathering(_TIMEOUT_S))
    _check("answers", [answer.body for answer in answers], ["tea costs 4.20"])
    return Asked("price", "tea", answers[0])


async def _no_responders(settings: Settings) -> Unanswered:
    async with connect(settings) as requestor:
        started_mono = time.monotonic()
        try:
            answers = await _ask(requestor, "opinion", "tea", Gathering(_TIMEOUT_S))
        except NoResponders as error:
            return Unanswered(error.subject, time.monotonic() - started_mono, _TIMEOUT_S)
    raise NatsctlError(f"{len(answers)} answers where nobody listens")


async def _gather_answers(settings: Settings) -> Gathered:
    async with AsyncExitStack() as stack:
        for answer in _STOCK:
            await stack.enter_async_context(_service(settings, "stock", answer))
        requestor = await stack.enter_async_context(connect(settings))
        answers = await _ask(requestor, "stock", "tea", Gathering(_TIMEOUT_S, expect=len(_STOCK)))
    _check("answers", {answer.body for answer in answers}, set(_STOCK))
    return Gathered("stock", "tea", tuple(answers))


_SCENES: dict[str, Callable[[Settings], Awaitable[Scene]]] = {
    "publish and subscribe": _publish_and_subscribe,
    "headers": _headers,
    "queue group": _queue_group,
    "request and reply": _request_and_reply,
    "no responders": _no_responders,
    "gather": _gather_answers,
}


async def _subscriber(stack: AsyncExitStack, settings: Settings, subject: str, queue: str = "") -> Receiver:
    """Subscribe on a connection of its own, as another program would."""
    connection = await stack.enter_async_context(connect(settings))
    return await stack.enter_async_context(receiving(connection, [subject], queue=queue))


async def _rest(receiver: Receiver) -> list[Message]:
    """Take everything the server has sent to a subscription up to now."""
    await receiver.drain()
    return [message async for batch in receiver.batches() for message in batch]


async def _ask(connection: Connection, subject: str, body: str, until: Gathering) -> list[Heard]:
    async with aclosing(gather(connection, subject, body.encode(), until=until)) as replies:
        return [Heard(reply.message.body.decode(), reply.rtt_s) async for reply in replies]


@contextlib.asynccontextmanager
async def _service(settings: Settings, subject: str, answer: str) -> AsyncIterator[None]:
    """Heard requests, on a connection of its own, until the end of the block."""

    async def respond(_request: Message) -> Answer:
        return Answer(answer.encode())

    async with connect(settings) as connection, receiving(connection, [subject]) as receiver:
        serving = asyncio.create_task(
            serve_requests(connection, receiver, respond, concurrency=1, on_request=_ignore, notice=lambda _: None)
        )
        try:
            yield
        finally:
            await receiver.drain()
            await serving


async def _ignore(_request: Message) -> None:
    """Nobody watches the requests of a scene."""


def _check(what: str, seen: T, expected: T) -> None:
    if seen != expected:
        raise NatsctlError(f"{what}: expected {_shown(expected)}, received {_shown(seen)}")


def _shown(value: object) -> str:
    return f"{len(value)} items" if isinstance(value, Sequence) and len(value) > 9 else repr(value)
