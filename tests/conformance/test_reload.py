"""Reload and lame duck mode beside nats-server 2.15.1: the same lines in the log, the same ends for clients."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.support.process import NATSCTL, ServerProcess, nats_server, running_server
from tests.support.rig import ENGINES
from tests.support.tls import Pki
from tests.support.wire import PATIENCE_S, WireClient, connect_line

A, B = {"user": "a", "pass": "a"}, {"user": "b", "pass": "b"}
USERS = "authorization { users: [{user: a, password: a}, {user: b, password: b}] }"
NKEY = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
_STAMP = re.compile(r"^\[\d+\] (\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d+ )?", re.MULTILINE)
_CHANCE = (
    (re.compile(r"sha256:[0-9a-f]+"), "sha256:…"),
    (re.compile(r"127\.0\.0\.1:\d+ - cid:\d+"), "…"),
)


class Reloaded:
    """A server whose configuration can be changed."""

    def __init__(self, server: ServerProcess, file: Path) -> None:
        self.server = server
        self._file = file
        self._head = "\n".join(file.read_text().splitlines()[:2])
        self._read = len(server.log())

    def news(self) -> list[str]:
        """The lines since the last call, without what is different from run to run."""
        text = _STAMP.sub("", self.server.log()[self._read :])
        self._read = len(self.server.log())
        for pattern, replacement in _CHANCE:
            text = pattern.sub(replacement, text)
        return text.splitlines()

    def reload(self, config: str) -> list[str]:
        """Change the file, send a hangup, and give the log lines of it."""
        self.news()
        self._file.write_text(f"{self._head}\n{config}")
        begin = self._read
        self.server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + PATIENCE_S
        while not re.search("Reloaded server conf.*\n|Failed to reload.*\n", self.server.log()[begin:]):
            assert time.monotonic() < deadline, self.server.log()
            time.sleep(0.01)  # no event tells of it
        return self.news()


@contextmanager
def running(command: Sequence[str], directory: Path, config: str, engine: str = "auto") -> Iterator[Reloaded]:
    with running_server(command, directory, config, engine) as server:
        yield Reloaded(server, directory / "nats.conf")


@contextmanager
def both(tmp_path: Path, config: str, engine: str = "auto") -> Iterator[list[Reloaded]]:
    """The official server and ours."""
    with ExitStack() as stack:
        found = []
        for name, command in (("official", nats_server()), ("ours", NATSCTL)):
            directory = tmp_path / name
            directory.mkdir()
            found.append(stack.enter_context(running(command, directory, config, engine)))
        yield found


LOGGED = [
    "",
    "debug: true",
    "debug: true, trace: true",
    "trace_verbose: true",
    "trace_headers: true",
    "logtime: false",
    "logtime_utc: true, max_traced_msg_len: 10",
    "max_connections: 10, ping_max: 5, ping_interval: '30s'",
    "max_connections: 0, max_control_line: 1024",
    "max_payload: -1",
    "max_payload: 9MB",
    "no_fast_producer_stall: true",
    "write_deadline: '1500ms'",
    "client_advertise: '1.2.3.4:5'",
    "server_tags: [a, B], server_metadata: {a: b}",
    "authorization { user: a, password: a, timeout: 3 }",
    "authorization { user: a, password: b, timeout: 0.5 }",
    "authorization { token: t }",
    USERS,
    f"authorization {{ users: [{{nkey: {NKEY}}}, {{user: a, password: a}}] }}",
    "accounts { A { users: [{user: a, password: a}] } }",
    "connect_error_reports: 3, reconnect_error_reports: 4",
    "leafnodes { remotes: [{ url: 'nats-leaf://127.0.0.1:9', disabled: true }] }",
    "leafnodes { remotes: [{ url: 'nats-leaf://leaf.invalid', disabled: true }] }",
    "leafnodes { remotes: [{ urls: ['nats-leaf://u:secret@127.0.0.1:9', 'tls://127.0.0.1:10'], disabled: true }] }",
    # what is refused
    "server_name: x",
    "http_port: 8999",
    "http_base_path: '/x'",
    "max_pending: 5MB",
    "max_subscriptions: 5",
    "max_sub_tokens: 5",
    "max_closed_clients: 5",
    "disable_sublist_cache: true",
    "no_header_support: true",
    "allow_non_tls: true",
    "write_timeout: close",
    "write_timeout: retry",
    "lame_duck_duration: '1m'",
    "lame_duck_grace_period: '1s'",
    "logfile_size_limit: 1000",
    "no_system_account: true",
    "accounts { A {} }, system_account: A",
    "no_auth_user: a, authorization: {users: [{user: a, password: a}]}",
    "cluster { name: c, listen: '127.0.0.1:-1' }",
    "max_pending: 5MB, server_name: x, lame_duck_duration: '1m'",
    "",
]
"""Configurations that follow each other in one server."""


def test_the_log_says_the_same_of_each_change(tmp_path: Path) -> None:
    with both(tmp_path, LOGGED[0]) as (official, ours):
        for config in LOGGED[1:]:
            assert (config, ours.reload(config)) == (config, official.reload(config))


def test_the_log_says_the_same_of_encryption(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    with both(tmp_path, "") as (official, ours):
        for more in (
            "",
            "",
            "timeout: 5",
            "verify: true",
            f"pinned_certs: ['{'0' * 64}']",
            "handshake_first: true",
            "handshake_first: auto",
            "handshake_first: '300ms'",
            "",
            "verify_and_map: true",
            "connection_rate_limit: 5",
            None,
        ):
            config = "" if more is None else pki.block(more)
            assert (more, ours.reload(config)) == (more, official.reload(config))


@pytest.mark.parametrize("config", ["debug: [", "foo: 1", "max_payload: 80MB", "client_advertise: 'a:b:c'", "debug: 7"])
def test_a_file_that_cannot_be_used_changes_nothing(tmp_path: Path, config: str) -> None:
    with both(tmp_path, "max_payload: 100") as servers:
        for server in servers:
            trapped, *said = server.reload(config)
            assert trapped == '[INF] Trapped "hangup" signal'
            assert all(line.startswith("[ERR] Failed to reload server configuration: ") for line in said[:1])
            assert "Reloaded" not in "".join(said)


def test_flags_keep_winning(tmp_path: Path) -> None:
    flags = ["-D", "--client_advertise", "9.9.9.9"]
    config = "debug: false, client_advertise: '1.1.1.1', ping_max: 9"
    lines = []
    for name, command in (("official", nats_server()), ("ours", NATSCTL)):
        directory = tmp_path / name
        directory.mkdir()
        with running([*command, *flags], directory, "") as server:
            lines.append(server.reload(config))
    assert lines[0] == lines[1]
    assert not any("debug" in line or "advertise" in line for line in lines[1])


# ---- what becomes of clients


@dataclass(frozen=True)
class Case:
    """Two configurations, clients (each the bytes it begins with), and what they send afterwards."""

    old: str
    new: str
    clients: tuple[bytes, ...]
    then: bytes = b""


def hello(fields: Mapping[str, object] = MappingProxyType({}), then: bytes = b"") -> bytes:
    return connect_line(**({"protocol": 0} | dict(fields))) + then


SUBS = b"SUB foo 1\r\nSUB bar 2\r\nSUB q v1 3\r\nSUB q v2 4\r\nSUB > 5\r\nSUB q 6\r\nSUB foo.* 7\r\n"
ALLOWED = "authorization { users: [{user: a, password: a, permissions: {subscribe: ['foo', 'q v1'], publish: foo}}] }"
DENIED = "authorization { users: [{user: a, password: a, permissions: {subscribe: {deny: 'foo.x'}}}] }"
CASES = {
    "max_payload": Case("", "max_payload: 100", (hello(), b""), b"PUB a 101\r\n"),
    "max_control_line": Case("", "max_control_line: 64", (hello(),), b"PUB " + b"a" * 100 + b" 1\r\n"),
    "users": Case(USERS, "authorization { users: [{user: a, password: x}] }", (hello(A), hello(B)), b"PING\r\n"),
    "a password is needed": Case("", "authorization { token: t }", (hello(), hello({"auth_token": "t"}), b"PING\r\n")),
    "another token": Case("authorization { token: s }", "authorization { token: t }", (hello({"auth_token": "s"}),)),
    "another account": Case(USERS, "accounts { A { users: [{user: a, password: a}] } }", (hello(A),)),
    "no account": Case(
        "accounts { A { users: [{user: a, password: a}] }, B { users: [{user: b, password: b}] } }",
        "accounts { B { users: [{user: b, password: b}] } }",
        (hello(A), hello(B)),
    ),
    "allowed": Case(USERS, ALLOWED, (hello(A, SUBS),), b"PUB foo 1\r\n1\r\nPUB bar 1\r\n2\r\n"),
    "denied": Case(
        USERS, DENIED, (hello(A, b"SUB foo.* 1\r\nSUB foo.x 2\r\n"),), b"PUB foo.x 1\r\n1\r\nPUB foo.y 1\r\n2\r\n"
    ),
    "not for this kind": Case(
        USERS,
        "authorization { users: [{user: a, password: a, allowed_connection_types: [WEBSOCKET]}] }",
        (hello(A),),
    ),
    "traced": Case("", "trace: true", (hello(),), b"PUB a 1\r\nx\r\n"),
}


async def play(server: Reloaded, case: Case) -> tuple[list[list[bytes]], list[str]]:
    """What each client got, and what the log says; in an order that does not depend on chance."""
    clients = [await WireClient.open(server.server.port) for _ in case.clients]
    for client, begin in zip(clients, case.clients, strict=True):
        await client.send(begin)
        await client.sync()
    log = await asyncio.to_thread(server.reload, case.new)
    got = []
    for client in clients:
        await client.send(case.then + b"PING\r\n")
        frames: list[bytes] = []
        try:
            while (frame := await client.read()) != b"PONG":
                frames.append(frame)
        except EOFError:
            frames.append(b"closed")
        got.append(sorted(frames))
        client.close()
    return got, sorted(log)


@pytest.mark.parametrize("engine", ENGINES)
async def test_clients_fare_alike(tmp_path: Path, engine: str) -> None:
    for name, case in CASES.items():
        directory = tmp_path / name
        directory.mkdir()
        with both(directory, case.old, engine) as (official, ours):
            assert (name, *await play(ours, case)) == (name, *await play(official, case))


# ---- lame duck mode


async def lame_duck(server: Reloaded, then: Sequence[signal.Signals]) -> tuple[list[object], list[str], int]:
    process = server.server.process
    modern, old = await WireClient.open(server.server.port), await WireClient.open(server.server.port)
    await modern.send(hello({"protocol": 1}))
    await old.send(hello())
    for client in (modern, old):
        await client.sync()
        await client.sync()
    server.news()
    process.send_signal(signal.SIGUSR2)
    info = json.loads((await modern.read())[5:])
    seen: list[object] = [info["ldm"], info.get("connect_urls"), await modern.sync(), await old.sync()]
    for number in then:
        process.send_signal(number)
        await asyncio.sleep(0.3)  # a signal that is ignored shows nowhere else
    seen.append([await client.read_to_end() for client in (modern, old)])
    modern.close()
    old.close()
    code = await asyncio.to_thread(process.wait, PATIENCE_S)
    return seen, server.news(), code


async def test_lame_ducks_say_and_do_the_same(tmp_path: Path) -> None:
    config = "lame_duck_duration: '30s', lame_duck_grace_period: '27s'"
    with both(tmp_path, config) as (official, ours):
        then = (signal.SIGTERM, signal.SIGUSR2, signal.SIGINT)
        assert await lame_duck(ours, then) == await lame_duck(official, then)


def test_lame_ducks_without_clients_end_at_once(tmp_path: Path) -> None:
    with both(tmp_path, "") as servers:
        said = []
        for server in servers:
            server.server.process.send_signal(signal.SIGUSR2)
            assert server.server.process.wait(PATIENCE_S) == 0
            said.append(server.news())
        assert said[0] == said[1]
