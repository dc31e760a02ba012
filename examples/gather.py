"""One question, everybody's answers: with a deadline for the next answer, and one for all of them.

Nobody can know how many will answer. Waiting a fixed time is too long when all are quick, and endless when somebody
never stops; so the wait ends when nothing came for a while, and in any case after a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from natsctl import Broker

IDLE_S = 0.3
TOTAL_S = 1.0


async def gather(client: Client, subject: str, data: bytes = b"") -> list[Msg]:
    """Ask on a subject and collect the answers; none where nobody listens."""
    inbox = client.new_inbox()
    replies = await client.subscribe(inbox)
    await client.publish(subject, data, reply=inbox)
    found: list[Msg] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(TOTAL_S):
            while True:
                reply = await replies.next_msg(timeout=IDLE_S)
                if reply.headers and reply.headers.get("Status") == "503":
                    break  # the broker answers for nobody, at once
                found.append(reply)
    await replies.unsubscribe()
    return found


async def main() -> None:
    """Ask three nodes, then somebody who cannot stop, then nobody."""
    async with Broker() as broker:
        client = await nats.connect(broker.url)
        for name, delay_s in (("north", 0.0), ("south", 0.02), ("harbour", 0.04)):
            await client.subscribe("nodes", cb=answer_after(delay_s, name.encode()))
        await client.subscribe("chatter", cb=answer_for_ever)

        found = await gather(client, "nodes")
        print(f"nodes: {len(found)} answers:", *(reply.data.decode() for reply in found))
        print(f"chatter: {'some' if await gather(client, 'chatter') else 'no'} answers, and an end")
        print(f"nobody: {len(await gather(client, 'nobody'))} answers")
        await client.close()


def answer_after(delay_s: float, name: bytes) -> Callable[[Msg], Awaitable[None]]:
    """Be a node that needs so long."""

    async def answer(msg: Msg) -> None:
        await asyncio.sleep(delay_s)
        await msg.respond(name)

    return answer


async def answer_for_ever(msg: Msg) -> None:
    """Answer until the connection closes."""
    while True:
        await msg.respond(b"and another thing")
        await asyncio.sleep(IDLE_S / 10)


asyncio.run(main())
