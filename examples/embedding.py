"""A program with a broker inside: its parts talk through it, and so can anything else that speaks NATS."""

from __future__ import annotations

import asyncio

import nats

from natsctl import Broker


async def measure(url: str) -> None:
    """Be the part that has something to tell."""
    client = await nats.connect(url, name="sensor")
    for celsius in (19.5, 20.0, 20.5):
        await client.publish("temperature.kitchen", str(celsius).encode())
    await client.drain()  # what was published is on its way before the connection closes


async def main() -> None:
    """Run the broker for as long as the program needs it."""
    # A free port of 127.0.0.1, unless told otherwise: two such programs never get into each other's way.
    async with Broker(server_name="thermometer") as broker:
        display = await nats.connect(broker.url, name="display")
        readings = await display.subscribe("temperature.*")
        # The subscription has reached the broker before anybody publishes: nobody keeps messages for latecomers.
        await display.flush()
        await measure(broker.url)
        for _ in range(3):
            reading = await readings.next_msg()
            print(f"{reading.subject.removeprefix('temperature.')}: {reading.data.decode()} °C")
        await display.close()


asyncio.run(main())
