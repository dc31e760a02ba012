"""A ride service in small: an API asks managers, managers ask drivers, and everybody answers discovery.

Shaped after the NATS Rider of the book "Practical NATS", chapter 6, with its subjects and deadlines.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.nuid import NUID

DISCOVERY = "_NATS_RIDER.discovery"
FIND_S = 0.3
"""How long a manager waits for drivers; two seconds in the book."""


class Component:
    """One connected part of the service: it has an id, and tells it, and its status, to whoever asks."""

    def __init__(self, url: str, kind: str) -> None:
        self.kind = kind
        self.id = NUID().next().decode()
        self.client = Client()
        self.seen: list[str] = []
        self._url = url

    async def __aenter__(self) -> Self:
        await self.client.connect(self._url, name=f"{self.kind}:{self.id}")
        await self.listen(DISCOVERY, self._tell_id)
        await self.listen(f"_NATS_RIDER.{self.id}.status", self._tell_status)
        await self.begin()
        for _ in range(2):  # nats-py sends the first PING before what waits to be sent
            await self.client.flush()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.close()

    async def begin(self) -> None:
        """Subscribe to what this part is there for."""

    async def listen(self, subject: str, handle: Callable[[Msg], Awaitable[None]], queue: str = "") -> None:
        await self.client.subscribe(subject, queue, cb=handle)

    async def _tell_id(self, msg: Msg) -> None:
        await msg.respond(self.id.encode())

    async def _tell_status(self, msg: Msg) -> None:
        await msg.respond(json.dumps({"kind": self.kind, "id": self.id, "pid": os.getpid()}).encode())


class ApiServer(Component):
    """Takes requests for rides; answers like HTTP, with a status and a body."""

    async def post_ride(self, kind: str, timeout_s: float = 5.0) -> tuple[int, str]:
        try:
            reply = await self.client.request("drivers.find", json.dumps({"type": kind}).encode(), timeout=timeout_s)
        except (NoRespondersError, TimeoutError):
            return 408, "Request timeout"
        answer = json.loads(reply.data)
        return (200, answer["driver_id"]) if "driver_id" in answer else (503, answer["error"])


class Manager(Component):
    """Finds a driver; managers share the requests."""

    async def begin(self) -> None:
        await self.listen("drivers.find", self._find, "manager")

    async def _find(self, msg: Msg) -> None:
        self.seen.append(msg.data.decode())
        try:
            reply = await self.client.request("drivers.rides", msg.data, timeout=FIND_S, old_style=True)
        except (NoRespondersError, TimeoutError):
            await msg.respond(json.dumps({"error": "No drivers available found, sorry!"}).encode())
        else:
            await msg.respond(reply.data)


class Driver(Component):
    """Answers to requests for its type of ride, after a backoff; the first one gets the ride."""

    def __init__(self, url: str, ride: str, backoff_s: float = 0.0) -> None:
        super().__init__(url, "driver-agent")
        self._ride = ride
        self._backoff_s = backoff_s

    async def begin(self) -> None:
        await self.listen("drivers.rides", self._consider)

    async def _consider(self, msg: Msg) -> None:
        self.seen.append(msg.data.decode())
        if json.loads(msg.data)["type"] == self._ride:
            await asyncio.sleep(self._backoff_s)
            await msg.respond(json.dumps({"driver_id": self.id}).encode())


async def discover(client: Client, idle_s: float) -> list[str]:
    """Ask for the ids of all components, until none answers for a while."""
    inbox = await client.subscribe(client.new_inbox())
    await client.publish(DISCOVERY, reply=inbox.subject)
    found: list[str] = []
    deadline_mono = time.monotonic() + 2.0
    try:
        while time.monotonic() < deadline_mono:
            found.append((await inbox.next_msg(timeout=idle_s)).data.decode())
    except TimeoutError:
        pass
    return found
