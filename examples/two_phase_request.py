"""A request in two phases: find a worker that is free, then give it the work.

Work sent to a busy service would wait in a queue of which the requestor knows nothing. So it asks first who is free,
with a short deadline; the offer has an empty body, and the worker's inbox as its reply subject. Work sent to that inbox
goes to that one worker, and may take its time.
"""

from __future__ import annotations

import asyncio

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from natsctl import Broker

FIND_S = 0.3
"""Who does not answer by then is not free."""
WORK_S = 10.0
"""Longer than any work takes."""
TRIES = 10


class Worker:
    """Does one piece of work at a time, and makes no offers while it does."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._name = name
        self._inbox = client.new_inbox()
        self._work: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen for questions of any requestor, and for work."""
        await self._client.subscribe("work", cb=self._offer)
        await self._client.subscribe(self._inbox, cb=self._accept)

    @property
    def _is_busy(self) -> bool:
        return self._work is not None and not self._work.done()

    async def _offer(self, msg: Msg) -> None:
        if not self._is_busy:
            await self._client.publish(msg.reply, reply=self._inbox)

    async def _accept(self, msg: Msg) -> None:
        if self._is_busy:
            await msg.respond(b"")  # two requestors had the same offer: the second one must look again
        else:
            # In a task, because the next message is handed out only when this function returns.
            self._work = asyncio.create_task(self._do(msg))

    async def _do(self, msg: Msg) -> None:
        await asyncio.sleep(0.2)
        await msg.respond(b"%s by %s" % (msg.data, self._name.encode()))


async def have_done(client: Client, work: bytes) -> str:
    """Have some worker do the work, and return what it says."""
    for _ in range(TRIES):
        try:
            offer = await client.request("work", timeout=FIND_S)
        except TimeoutError:
            continue  # there are workers, and all of them are busy
        answer = await client.request(offer.reply, work, timeout=WORK_S)
        if answer.data:
            return answer.data.decode()
    raise TimeoutError(f"no free worker in {TRIES} tries")


async def main() -> None:
    """Have two workers do three pieces of work, for requestors who do not know of each other."""
    async with Broker() as broker:
        client = await nats.connect(broker.url)
        for name in ("Tick", "Tock"):
            await Worker(client, name).start()
        done = await asyncio.gather(*(have_done(client, work) for work in (b"painted", b"washed", b"dried")))
        print(*done, sep="\n")
        await client.close()


asyncio.run(main())
