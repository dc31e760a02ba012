"""Byte exchanges recorded from nats-server 2.15.1, replayed against ours."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.frames import is_message
from tests.support.process import NATSCTL, ServerProcess, running_server
from tests.support.rig import ENGINES
from tests.support.wire import WireClient

RECORDINGS = json.loads((Path(__file__).parent / "recordings" / "raw.json").read_text())
CASES = {case["id"]: case for case in RECORDINGS["cases"]}
DIFFERENCES = {
    "acc/service-import": "imports and exports of accounts are not available yet",
    "acc/no-auth-user-is-b": "imports and exports of accounts are not available yet",
    "acc/bad-login": "imports and exports of accounts are not available yet",
}
"""Where we do not answer as recorded, and why."""

_MATCH_S = 5.0
_QUIET_S = 0.03
_LONGEST_LINE, _LONGEST_BODY = 400, 200

Profiles = Callable[[str], ServerProcess]


@pytest.fixture(scope="module", params=ENGINES)
def profile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Profiles]:
    """One server per configuration, started when a case first asks for it."""
    with ExitStack() as stack:

        @cache
        def start(name: str) -> ServerProcess:
            directory = tmp_path_factory.mktemp(name)
            return stack.enter_context(running_server(NATSCTL, directory, RECORDINGS["profiles"][name], request.param))

        yield start


def written(parts: list[Any]) -> bytes:
    """The bytes of a send; ``["*", text, n]`` stands for n times the text."""
    return b"".join((part[1] * part[2] if isinstance(part, list) else part).encode("latin-1") for part in parts)


def abridged(data: bytes, longest: int, shown: int) -> str:
    text = data.decode("latin-1")
    if len(data) <= longest:
        return text
    return f"{text[:shown]}...#{len(data)}:{hashlib.sha1(data, usedforsecurity=False).hexdigest()[:12]}"


def recorded_form(frame: bytes) -> str:
    """A frame as the recordings write it."""
    if not is_message(frame):
        return abridged(frame, _LONGEST_LINE, 40)
    line, _, body = frame.partition(b"\r\n")
    return f"{abridged(line, _LONGEST_LINE, 20)}|{abridged(body, _LONGEST_BODY, 20)}"


def outcome(client: WireClient, mode: str) -> list[str]:
    """What a connection got; INFO and PING that the server sends when it likes are left out."""
    frames = [recorded_form(frame) for frame in client.frames if not frame.startswith((b"INFO ", b"PING"))]
    if mode == "anysid":
        frames = [re.sub(r"^(H?MSG \S+) \S+", r"\1 ?", frame) for frame in frames]
    return sorted(["INFO", *frames]) if mode in ("anysid", "sorted") else ["INFO", *frames]


async def send(client: WireClient, step: dict[str, Any]) -> None:
    data, sizes = written(step["data"]), step.get("chunk", [])
    if isinstance(sizes, int):
        sizes = [sizes] * (len(data) // sizes + 1)
    for size in sizes:
        await client.send(data[:size])
        await asyncio.sleep(step["gap"])  # so that the server reads the pieces one by one
        data = data[size:]
    await client.send(data)


async def play(case: dict[str, Any], port: int) -> dict[str, WireClient]:
    clients: dict[str, WireClient] = {}
    for step in case["steps"]:
        key = str(step.get("c", ""))
        match step["do"]:
            case "open":
                clients[key] = await WireClient.open(port)
            case "send":
                await send(clients[key], step)
            case "sync":
                answered = clients[key].frames.count(b"PONG")
                await clients[key].send(b"PING\r\n")
                while clients[key].frames.count(b"PONG") <= answered and await clients[key].receive():
                    pass
            case "sleep":
                await asyncio.sleep(step["t"])
    return clients


async def settle(client: WireClient, expected: dict[str, Any], mode: str) -> None:
    """Read until a connection is where it should be, and then whether more comes."""
    stays_open = expected["closed"] == "open"
    with suppress(TimeoutError):
        async with asyncio.timeout(_MATCH_S):
            while not (stays_open and outcome(client, mode) == expected["frames"]) and await client.receive():
                pass
    if stays_open and not client.closed:
        with suppress(TimeoutError):
            async with asyncio.timeout(_QUIET_S):
                await client.receive()


@pytest.mark.parametrize("name", CASES)
async def test_the_recorded_bytes_get_the_recorded_answer(name: str, profile: Profiles) -> None:
    case = CASES[name]

    async def replay() -> None:
        clients = await play(case, profile(case["profile"]).port)
        for key, client in clients.items():
            expected = case["expect"][key]
            await settle(client, expected, case["mode"])
            assert (outcome(client, case["mode"]), "closed" if client.closed else "open") == (
                expected["frames"],
                expected["closed"],
            )
            await client.leave()

    if name in DIFFERENCES:
        with pytest.raises(AssertionError):
            await replay()
            pytest.fail("answered as recorded now: take it off the list of differences")
    else:
        await replay()


def test_every_difference_is_one_of_a_recorded_case() -> None:
    assert DIFFERENCES.keys() <= CASES.keys()
