"""A subscriber that cannot keep up, without harm to the others on its connection.

What a subscriber has not handled yet waits in the client. Without a limit it waits in memory, and in the end the broker
cuts the connection, and with it every other subscription: it protects itself from slow consumers. With a limit on the
one subscription the client drops what is too much, says so, and everything else goes on.
"""

from __future__ import annotations

import asyncio

import nats
from nats.aio.msg import Msg
from nats.errors import SlowConsumerError

from natsctl import Broker

N_MESSAGES = 1000
PENDING_MSGS = 100


async def main() -> None:
    """Publish to a subscriber that is stuck and to one that is quick."""
    dropped: list[str] = []
    received: list[bytes] = []
    is_freed = asyncio.Event()

    async def on_error(error: Exception) -> None:
        # Where to decide: go on without some messages, as here, or unsubscribe and do without all of them.
        if isinstance(error, SlowConsumerError):
            dropped.append(error.subject)

    async def stuck(_: Msg) -> None:
        await is_freed.wait()

    async def quick(msg: Msg) -> None:
        received.append(msg.data)

    async with Broker() as broker:
        client = await nats.connect(broker.url, error_cb=on_error)
        await client.subscribe("video", cb=stuck, pending_msgs_limit=PENDING_MSGS)
        await client.subscribe("alarms", cb=quick)
        for number in range(N_MESSAGES):
            await client.publish("video", b"frame %d" % number)
            await client.publish("alarms", b"alarm %d" % number)
        await client.flush()
        is_freed.set()
        await client.drain()

        print(f"alarms: {len(received)} of {N_MESSAGES} received")
        print(f"{', '.join(set(dropped))}: {len(dropped)} of {N_MESSAGES} dropped by the client")
        print(f"connections cut by the broker: {broker.slow_consumers.total()}")


asyncio.run(main())
