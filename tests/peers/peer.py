"""What an ordinary program does with nats-py: ``peer.py SCENE URL [LOGIN…]``; says what it saw, line by line."""

from __future__ import annotations

import asyncio
import logging
import ssl
import sys
from functools import partial
from typing import Any

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import NoRespondersError


def say(*words: object) -> None:
    print(*words, flush=True)


async def publish(nc: Client) -> None:
    inbox = await nc.subscribe("greetings.*")
    for subject, body in (("greetings.en", b"hello"), ("greetings.en.us", b"howdy"), ("greetings.de", b"hallo")):
        await nc.publish(subject, body)
    for _ in range(2):
        msg = await inbox.next_msg(timeout=5)
        say(msg.subject, msg.data.decode())


async def queue(nc: Client) -> None:
    counts = [0, 0]
    done = asyncio.Event()

    async def work(member: int, _msg: Msg) -> None:
        counts[member] += 1
        if sum(counts) >= 100:
            done.set()

    for member in (0, 1):
        await nc.subscribe("tasks", "workers", cb=partial(work, member))
    for _ in range(100):
        await nc.publish("tasks")
    await done.wait()
    await nc.flush()
    say(sum(counts), "shared" if all(counts) else counts)


async def request(nc: Client) -> None:
    async def double(msg: Msg) -> None:
        await msg.respond(msg.data * 2)

    await nc.subscribe("double", cb=double)
    say((await nc.request("double", b"tea", timeout=5)).data.decode())
    try:
        await nc.request("nobody", timeout=5)
    except NoRespondersError:
        say("no responders")


async def headers(nc: Client) -> None:
    inbox = await nc.subscribe("orders")
    await nc.publish("orders", b"tea", headers={"Priority": "high"})
    msg = await inbox.next_msg(timeout=5)
    say("Priority:", (msg.headers or {})["Priority"], msg.data.decode())


async def large(nc: Client) -> None:
    inbox = await nc.subscribe("large")
    await nc.publish("large", b"x" * nc.max_payload)
    say(len((await inbox.next_msg(timeout=5)).data))


async def unsubscribe(nc: Client) -> None:
    inbox, all_of_them = await nc.subscribe("few"), await nc.subscribe("few")
    await inbox.unsubscribe(2)
    for _ in range(5):
        await nc.publish("few")
    for _ in range(5):  # flush would not do: nats-py sends its PING before what waits to be sent
        await all_of_them.next_msg(timeout=5)
    say(inbox.delivered)


async def drain(nc: Client) -> None:
    handled = 0

    async def handle(_msg: Msg) -> None:
        nonlocal handled
        await asyncio.sleep(0)
        handled += 1

    await nc.subscribe("last", cb=handle)
    for _ in range(50):
        await nc.publish("last")
    await nc.drain()
    say(handled, "closed" if nc.is_closed else "open")


async def reconnect(nc: Client) -> None:
    inbox = await nc.subscribe("after")
    await nc.flush()
    back = asyncio.Event()

    async def note() -> None:
        back.set()

    nc._reconnected_cb = note
    say("connected")
    await back.wait()
    say("reconnected")
    await nc.publish("after", b"still here")
    say((await inbox.next_msg(timeout=5)).data.decode())


async def login(nc: Client) -> None:
    await nc.flush()
    say("welcome")


def credentials(kind: str = "", *values: str) -> dict[str, Any]:
    if kind == "user":
        return {"user": values[0], "password": values[1]}
    if kind == "token":
        return {"token": values[0]}
    if kind == "tls":
        logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of every orderly end of TLS
        context = ssl.create_default_context(cafile=values[0])
        if len(values) > 1:
            context.load_cert_chain(*values[1:])
        return {"tls": context}
    return {"nkeys_seed": values[0]} if kind == "nkey" else {}


async def main(scene: str, url: str, *how: str) -> None:
    refused = False

    async def on_error(error: Exception) -> None:
        nonlocal refused
        refused = refused or "authorization violation" in str(error).lower() or "tls" in how

    nc = Client()
    try:
        await nc.connect(
            url,
            reconnect_time_wait=0.05,  # type: ignore[arg-type]  # it says int, and takes float
            max_reconnect_attempts=-1 if scene == "reconnect" else 1,
            error_cb=on_error,
            **credentials(*how),
        )
        await SCENES[scene](nc)
    except nats.errors.Error:
        if not refused:
            raise
        say("refused")
    await nc.close()


SCENES = {
    scene.__name__: scene for scene in (publish, queue, request, headers, large, unsubscribe, drain, reconnect, login)
}

if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
