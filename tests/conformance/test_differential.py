"""The official nats-server beside ours: the same bytes in, the same frames out, the same closing."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count, groupby
from pathlib import Path
from typing import Any

import nkeys  # type: ignore[import-untyped]  # it comes without types
import pytest
from nacl.signing import SigningKey

from natsctl.protocol.nkey import USER, encode_public
from tests.support.frames import is_message
from tests.support.process import NATSCTL, ServerProcess, nats_server, running_server
from tests.support.rig import ENGINES
from tests.support.scripts import Script, make_script
from tests.support.wire import WireClient

N_SCRIPTS = int(os.environ.get("NATSCTL_TEST_SCRIPTS", "100"))
"""Sessions per configuration; the environment can ask for a night's worth."""
PATIENCE_S = (0.15, 0.5, 2.0)
"""How long a server may think before it counts as waiting for more; the longest must confirm a difference."""

_IDENTITY = ("server_id", "server_name", "go", "port", "client_id", "nonce", "xkey", "git_commit")


def new_nkey() -> tuple[nkeys.KeyPair, str]:
    key = SigningKey.generate()
    pair = nkeys.from_seed(nkeys.encode_seed(bytes(key), nkeys.PREFIX_BYTE_USER))
    return pair, encode_public(USER, bytes(key.verify_key))


KEY_PAIR, PUBLIC_KEY = new_nkey()
SIGNED = {"nkey": PUBLIC_KEY}
"""A login that is completed with a signature of the connection's nonce."""


@dataclass(frozen=True)
class Setup:
    """A configuration, who may be tried to log in, and the subjects that matter there."""

    config: str = ""
    logins: tuple[dict[str, Any], ...] = ({},)
    subjects: tuple[str, ...] = ("foo", "foo.bar", "a", "a.b.c")


SETUPS = {
    "default": Setup(),
    "small limits": Setup("max_control_line: 128, max_payload: 20, max_subscriptions: 3, max_sub_tokens: 2"),
    "no headers": Setup("no_header_support: true"),
    "token": Setup('authorization { token: "t0ken" }', ({"auth_token": "t0ken"}, {"auth_token": "t"}, {})),
    "permissions": Setup(
        """
        authorization { users: [
          {user: a, password: a, permissions: {
            publish: {allow: ["a.>", "foo"], deny: ["a.secret", "a.*.no"]}
            subscribe: {allow: ["a.>", "_INBOX.>", "q.* workers", "foo"], deny: ["a.hidden", "a.b.*"]}}}
          {user: r, password: r, permissions: {subscribe: "a.>", allow_responses: {max: 2, expires: "1m"}}}
          {user: x, password: x}
        ]}""",
        tuple({"user": name, "pass": secret} for name, secret in ("aa", "aa", "rr", "xx", "ax", "zz")),
        ("a.secret", "a.x.no", "a.b", "a.>", "a.*", "a.hidden", "a.b.c", "a.b.*", "foo", "q.1", "*", "b"),
    ),
    "accounts": Setup(
        """
        accounts {
          A: {users: [{user: a, password: a}], limits: {max_subscriptions: 2, max_payload: 16, max_connections: 2}}
          B: {users: [{user: b, password: b}, {user: n, password: n, permissions: {publish: {deny: "foo"}}}]}
        }
        no_auth_user: n""",
        (*({"user": name, "pass": name} for name in "aab"), {}, {"user": "a", "pass": "b"}),
    ),
    "nkeys": Setup(
        f"authorization {{ users: [{{nkey: {PUBLIC_KEY}}}, {{user: u, password: p}}] }}",
        (SIGNED, SIGNED, {"nkey": PUBLIC_KEY, "sig": "AAAA"}, {"user": "u", "pass": "p"}, {}),
    ),
}


@dataclass(frozen=True)
class Pair:
    """Both servers in the same configuration."""

    setup: Setup
    official: ServerProcess
    ours: ServerProcess


@pytest.fixture(scope="module", params=[(setup, engine) for setup in SETUPS for engine in ENGINES], ids="-".join)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    name, engine = request.param
    setup = SETUPS[name]
    with ExitStack() as stack:
        official, ours = (
            stack.enter_context(running_server(command, tmp_path_factory.mktemp("server"), setup.config, engine))
            for command in (nats_server(), NATSCTL)
        )
        yield Pair(setup, official, ours)


def visible(frame: bytes) -> bytes:
    """A frame without what is different from start to start: INFO keeps its keys, and the values that say something."""
    if not frame.startswith(b"INFO "):
        return frame
    info = json.loads(frame[5:])
    values = {key: value for key, value in info.items() if key not in _IDENTITY}
    keys = sorted(info.keys() - {"git_commit"})
    return b"INFO " + json.dumps([keys, values], sort_keys=True).encode()


def without_chance(frame: bytes) -> bytes:
    """A frame as :func:`visible`; which of several subscriptions hears of no responders is chance."""
    if b"\r\nNATS/1.0 503\r\n" in frame:
        verb, subject, _, rest = frame.split(b" ", 3)
        return b" ".join((verb, subject, b"?", rest))
    return visible(frame)


def in_order(frames: list[bytes]) -> list[bytes]:
    """Frames with the copies of one message sorted: which subscription is served first is chance.

    A row of refused subjects counts as one: nats-server repeats the refusal when the payload came in two reads.
    """
    ordered: list[bytes] = []
    for body, copies in groupby(frames, key=lambda frame: frame.partition(b"\r\n")[2] if is_message(frame) else None):
        row = list(copies)
        ordered += row if body is None else sorted(row)
    refused = b"-ERR 'Invalid Publish Subject'"
    return [frame for frame, before in zip(ordered, [b"", *ordered], strict=False) if {frame, before} != {refused}]


class Player:
    """One server's side of a script."""

    def __init__(self, clients: list[WireClient], patience_s: float) -> None:
        self._clients = clients
        self._patience_s = patience_s
        self._markers = count()
        self._frames: list[list[bytes]] = [[] for _ in clients]

    async def play(self, script: Script) -> list[tuple[list[bytes], str]]:
        """Send every step, wait for what comes of it, and tell what each client got and whether it was closed."""
        for step in script.steps:
            await self._settle(step.client, self._signed(step.client, step.data))
        for number in range(len(self._clients)):
            await self._settle(number)
        return [
            (in_order([without_chance(frame) for frame in frames]), "closed" if client.closed else "open")
            for client, frames in zip(self._clients, self._frames, strict=True)
        ]

    def _signed(self, number: int, data: bytes) -> bytes:
        unsigned = f'"nkey": "{PUBLIC_KEY}"}}'.encode()
        if unsigned not in data:
            return data
        signature = KEY_PAIR.sign(self._clients[number].info["nonce"].encode())
        return data.replace(unsigned, unsigned[:-1] + b', "sig": "%b"}' % encoded(signature))

    async def _settle(self, number: int, data: bytes = b"") -> None:
        """Send, and read until a marker comes back: a publish that is always refused, in words of its own."""
        client = self._clients[number]
        subject = b"$NRG.marker.%d" % next(self._markers)
        await client.send(data + b"PUB %b 0\r\n\r\n" % subject)
        refusal = b"-ERR 'Permissions Violation for Publish to \"%b\"'" % subject
        with suppress(TimeoutError, EOFError):
            async with asyncio.timeout(self._patience_s):
                while (frame := await client.read()) != refusal:
                    if frame != b"PING":
                        self._frames[number].append(frame)


def encoded(signature: bytes) -> bytes:
    return base64.urlsafe_b64encode(signature).rstrip(b"=")


@asynccontextmanager
async def connected(server: ServerProcess, n_clients: int, patience_s: float) -> AsyncIterator[Player]:
    clients = [await WireClient.open(server.port) for _ in range(n_clients)]
    try:
        yield Player(clients, patience_s)
    finally:
        for client in clients:
            await client.leave()


async def outcome(server: ServerProcess, script: Script, patience_s: float) -> list[tuple[list[bytes], str]]:
    async with connected(server, len(script.credentials), patience_s) as player:
        return await player.play(script)


async def outcomes(pair: Pair, script: Script) -> tuple[object, object]:
    """What both servers do, played anew with more patience as long as they differ."""
    theirs, ours = object(), object()
    for patience_s in PATIENCE_S:
        theirs, ours = await asyncio.gather(
            outcome(pair.official, script, patience_s), outcome(pair.ours, script, patience_s)
        )
        if theirs == ours:
            break
    return theirs, ours


async def test_made_up_sessions_get_the_same_answers(pair: Pair) -> None:
    for seed in range(N_SCRIPTS):
        script = make_script(seed, pair.setup.logins, pair.setup.subjects)
        theirs, ours = await outcomes(pair, script)
        assert ours == theirs, f"seed {seed}: {script}"


async def test_both_greet_alike(pair: Pair) -> None:
    greetings = []
    for server in (pair.official, pair.ours):
        async with await WireClient.open(server.port) as client:
            greetings.append(visible(b"INFO " + json.dumps(client.info).encode()))
    assert greetings[1] == greetings[0]


@pytest.mark.parametrize("line", [b"PING" + b"x" * 5000, b"PONG" + b"x" * 5000, b"+OK" + b"x" * 5000])
async def test_what_a_server_must_read_without_end_we_bound(line: bytes, tmp_path: Path) -> None:
    # nats-server skips bytes without a meaning for ever; ours holds every line to max_control_line.
    answers = []
    for command in (nats_server(), NATSCTL):
        directory = tmp_path / Path(command[0]).name
        directory.mkdir()
        with running_server(command, directory) as server:
            async with await WireClient.open(server.port, protocol=0) as client:
                await client.send(line + b"\r\nPING\r\n")
                answers.append((await client.read())[:40])
    assert answers == [b"PONG", b"-ERR 'maximum control line exceeded'"]
