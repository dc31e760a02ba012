"""A request that may take long: waited for as long as the worker shows that it is alive.

A deadline for a long answer is either too short or makes a dead worker look busy. Here the request names an inbox for
heartbeats; the requestor gives up when none came for a while, or when even a living worker takes too long.
"""

from __future__ import annotations

import asyncio
import base64
import json
from functools import partial

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from natsctl import Broker

BEAT_S = 0.1
PATIENCE_S = 0.5
"""Several beats: one may be late without meaning anything."""
TOTAL_S = 10.0
"""Limit for a worker that lives and never ends."""


async def request(client: Client, subject: str, data: bytes) -> bytes:
    """Ask, and wait while there are heartbeats.

    Raises:
        TimeoutError: The worker fell silent, or took longer than `TOTAL_S`.
    """
    async with asyncio.timeout(PATIENCE_S) as patience:

        async def on_beat(_: Msg) -> None:
            if not patience.expired():
                patience.reschedule(asyncio.get_running_loop().time() + PATIENCE_S)

        beats = await client.subscribe(client.new_inbox(), cb=on_beat)
        try:
            body = {"hb_inbox": beats.subject, "data": base64.b64encode(data).decode()}
            return (await client.request(subject, json.dumps(body).encode(), timeout=TOTAL_S)).data
        finally:
            await beats.unsubscribe()


async def work(client: Client, msg: Msg) -> None:
    """Beat while the work is done, and not a beat longer."""
    body = json.loads(msg.data)
    beating = asyncio.create_task(beat(client, body["hb_inbox"]))
    try:
        await asyncio.sleep(2 * PATIENCE_S)  # longer than anybody would wait in silence
        await msg.respond(base64.b64decode(body["data"]).upper())
    finally:
        beating.cancel()


async def beat(client: Client, inbox: str) -> None:
    """Show signs of life until cancelled."""
    while True:
        await client.publish(inbox)
        await asyncio.sleep(BEAT_S)


async def fall_silent(client: Client, msg: Msg) -> None:
    """Be a worker that dies soon after it has begun."""
    await client.publish(json.loads(msg.data)["hb_inbox"])


async def main() -> None:
    """Ask a worker that is slow, and one that dies."""
    async with Broker() as broker:
        client = await nats.connect(broker.url)
        await client.subscribe("slow", cb=partial(work, client))
        await client.subscribe("dead", cb=partial(fall_silent, client))
        print("slow:", (await request(client, "slow", b"done")).decode())
        try:
            await request(client, "dead", b"done")
        except TimeoutError:
            print(f"dead: no heartbeat for {PATIENCE_S} s")
        await client.close()


asyncio.run(main())
