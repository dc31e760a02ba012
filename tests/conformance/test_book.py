"""The listings of "Practical NATS", as a reader types them: raw sessions, flags and configuration files.

Where nats-server 2.15 words an answer otherwise than the page, its words are expected; each session is played to it
too.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.support.process import NATSCTL, ServerProcess, nats_server, running_server
from tests.support.wire import WireClient

Command = Callable[[], Sequence[str]]
servers = pytest.mark.parametrize("command", [lambda: NATSCTL, nats_server], ids=["natsctl", "nats-server"])

SESSIONS = {
    "1-1 a greeting": (
        b"SUB greetings 1\r\nPUB greetings 12\r\nHello World!\r\n",
        [b"+OK", b"+OK", b"MSG greetings 1 12\r\nHello World!"],
    ),
    "2-3 publish": (b"PUB hello 5\r\nworld\r\n", [b"+OK"]),
    "2-4 not verbose": (b'CONNECT {"verbose": false}\r\nPUB hello 5\r\nworld\r\n', []),
    "2-6 twelve bytes": (b"PUB hello 12\r\nhello world!\r\n", [b"+OK"]),
    "2-8 in lower case": (b"pub hello 5\r\nworld\r\n", [b"+OK"]),
    "2-9 a subscription": (
        b"SUB hello 1\r\nPUB hello 5\r\nworld\r\n",
        [b"+OK", b"+OK", b"MSG hello 1 5\r\nworld"],
    ),
    "2-11 any word is a sid": (
        b"SUB hello any\r\nPUB hello 5\r\nworld\r\n",
        [b"+OK", b"+OK", b"MSG hello any 5\r\nworld"],
    ),
    "2-13 a wildcard in a publish": (
        b"PUB hello.*.world 5\r\nhello\r\n",
        [b"-ERR 'Invalid Publish Subject'", b"+OK"],
    ),
    "2-14 not pedantic": (
        b'CONNECT {"pedantic": false, "verbose": true}\r\nPUB hello.*.world 5\r\nhello\r\n',
        [b"+OK", b"+OK"],
    ),
    "2-15 everything": (
        b"SUB > 1\r\nPUB hello.world 2\r\nhi\r\n",
        [b"+OK", b"+OK", b"MSG hello.world 1 2\r\nhi"],
    ),
    "2-16 a queue group": (
        b"SUB requests workers 5\r\nPUB requests 6\r\nplease\r\n",
        [b"+OK", b"+OK", b"MSG requests 5 6\r\nplease"],
    ),
    "2-18 unsubscribe after one": (
        b"SUB hello 5\r\nUNSUB 5 1\r\nPUB hello 1\r\na\r\nPUB hello 1\r\nb\r\n",
        [b"+OK", b"+OK", b"+OK", b"MSG hello 5 1\r\na", b"+OK"],
    ),
    "2-20 unsubscribe at once": (
        b"SUB hello 5\r\nUNSUB 5\r\nPUB hello 1\r\na\r\n",
        [b"+OK", b"+OK", b"+OK"],
    ),
    "2-21 a request": (
        b"SUB hello 5\r\nSUB inbox 90\r\nPUB hello inbox 5\r\nworld\r\nPUB inbox 2\r\nhi\r\n",
        [b"+OK", b"+OK", b"+OK", b"MSG hello 5 inbox 5\r\nworld", b"+OK", b"MSG inbox 90 2\r\nhi"],
    ),
    "3-26 the old way to unsubscribe": (
        b"SUB hello 2\r\nUNSUB 2 1\r\nPUB hello 0\r\n\r\n",
        [b"+OK", b"+OK", b"+OK", b"MSG hello 2 0\r\n"],
    ),
    "3-34 no subject is reserved for the server": (b"PUB _SYS.hi 1\r\nx\r\n", [b"+OK"]),
}


@servers
async def test_raw_sessions(command: Command, tmp_path: Path) -> None:
    with running_server(command(), tmp_path) as server:
        for name, (sent, answers) in SESSIONS.items():
            async with await WireClient.open(server.port) as client:
                await client.send(sent)
                assert (name, await client.sync()) == (name, answers)


@servers
async def test_a_payload_of_another_length_is_an_unknown_operation(command: Command, tmp_path: Path) -> None:
    with running_server(command(), tmp_path) as server:
        answer = await talk(server, b"PUB hello 2\r\nworld\r\n")  # 2-7
        assert answer == [b"-ERR 'Unknown Protocol Operation'"]


@servers
async def test_two_subscribers_of_one_subject_both_get_it(command: Command, tmp_path: Path) -> None:
    with running_server(command(), tmp_path) as server:
        first, second = await WireClient.open(server.port), await WireClient.open(server.port)  # 2-9 to 2-12
        await first.send(b"SUB hello 1\r\n")
        await second.send(b"SUB hello any\r\n")
        assert [await first.sync(), await second.sync()] == [[b"+OK"], [b"+OK"]]
        await first.send(b"PUB hello 5\r\nworld\r\n")
        assert await first.sync() == [b"+OK", b"MSG hello 1 5\r\nworld"]
        assert await second.sync() == [b"MSG hello any 5\r\nworld"]
        first.close()
        second.close()


async def talk(server: ServerProcess, sent: bytes) -> list[bytes]:
    async with await WireClient.open(server.port) as client:
        await client.send(sent)
        return await client.read_to_end()


@servers
async def test_credentials(command: Command, tmp_path: Path) -> None:
    config = "authorization {\n user = hello\n pass = world\n timeout = 1\n}\n"  # 4-24, 4-26
    with running_server(command(), tmp_path, config) as server:
        async with await WireClient.open(server.port) as client:
            await client.send(b'CONNECT {"user":"hello", "pass":"world"}\r\npub hello 5\r\nworld\r\n')
            assert await client.sync() == [b"+OK", b"+OK"]
        assert await talk(server, b"pub hello 5\r\n") == [b"-ERR 'Authorization Violation'"]  # 4-23
        assert await talk(server, b"") == [b"-ERR 'Authentication Timeout'"]  # 4-27


@servers
async def test_max_payload(command: Command, tmp_path: Path) -> None:
    with running_server(command(), tmp_path, "max_payload = 5242880\n") as server:  # 4-29
        async with await WireClient.open(server.port) as client:
            assert client.info["max_payload"] == 5242880
        assert await talk(server, b"PUB a 5242881\r\n") == [b"-ERR 'Maximum Payload Violation'"]  # 4-30


@servers
async def test_max_connections(command: Command, tmp_path: Path) -> None:
    with running_server(command(), tmp_path, "max_connections = 1\n") as server:  # 4-33
        async with await WireClient.open(server.port) as first:
            assert await talk(server, b"") == [b"-ERR 'maximum connections exceeded'"]  # 4-34
            assert await first.sync() == []


@servers
async def test_a_browser_on_the_client_port(command: Command, tmp_path: Path) -> None:
    with running_server(command(), tmp_path, "logtime = false\n") as server:  # 4-13
        answer = await talk(server, b"GET / HTTP/1.1\r\nHost: 127.0.0.1:4222\r\n\r\n")
        assert answer == [b"-ERR 'Unknown Protocol Operation'"]
        assert "Client parser ERROR, state=0, i=0: proto='\"GET / HTTP/1.1\\r\\nHost: 127.0.0.1:\"...'" in server.log()


@servers
async def test_debug_and_trace(command: Command, tmp_path: Path) -> None:
    with running_server(command(), tmp_path, "debug = true\ntrace = true\nlogtime = false\n") as server:  # 4-14 to 4-18
        async with await WireClient.open(server.port) as client:
            await client.send(b"SUB hello 90\r\nPUB hello 5\r\nworld\r\n")
            await client.sync()
        lines = [line.partition(" - cid:5 - ")[2] for line in server.log().splitlines() if " - cid:5 - " in line]
    assert lines[:8] == [
        "Client connection created",
        "<<- [SUB hello 90]",
        "->> [OK]",
        "<<- [PUB hello 5]",
        '<<- MSG_PAYLOAD: ["world"]',
        "->> [OK]",
        "->> [MSG hello 90 5]",
        '->> MSG_PAYLOAD: ["world"]',
    ]


@servers
@pytest.mark.parametrize(
    "config",
    [
        'write_deadline = "5s"\n',  # 4-31
        "ping_max = 3\nping_interval = 30\n",  # 4-32
        "debug = false\ntrace = true\n",  # 4-35
    ],
)
async def test_other_settings_let_clients_in(command: Command, tmp_path: Path, config: str) -> None:
    with running_server(command(), tmp_path, config) as server:
        async with await WireClient.open(server.port) as client:
            assert await client.sync() == []


def hang_up(server: ServerProcess, directory: Path, config: str) -> list[str]:
    """Change the file, send a hangup, and give what the log says of it."""
    before, file = server.log(), directory / "nats.conf"
    file.write_text("\n".join(file.read_text().splitlines()[:2]) + f"\n{config}")
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 15
    while "Reloaded server configuration" not in server.log()[len(before) :]:
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.01)  # no event tells of it
    return [line.partition("[INF] ")[2] for line in server.log()[len(before) :].splitlines() if "[INF] " in line]


@servers
def test_a_hangup_changes_the_log(command: Command, tmp_path: Path) -> None:
    with running_server(command(), tmp_path, "debug = false\ntrace = false\n") as server:  # 4-35 to 4-38
        said = hang_up(server, tmp_path, "debug = true\ntrace = true\n")
    trapped, trace, debug, *_, reloaded = said
    assert (trapped, trace, debug) == ('Trapped "hangup" signal', "Reloaded: trace = true", "Reloaded: debug = true")
    assert reloaded.startswith("Reloaded server configuration")


@servers
async def test_a_hangup_closes_the_connections_that_are_too_many(command: Command, tmp_path: Path) -> None:
    with running_server(command(), tmp_path, "max_connections = 10\n") as server:  # 4-39 to 4-41
        clients = [await WireClient.open(server.port) for _ in range(3)]
        for client in clients:
            await client.sync()
        said = hang_up(server, tmp_path, "max_connections = 1\n")
        at = said.index("Closed 2 connections to fall within max_connections")
        assert said[at + 1] == "Reloaded: max_connections = 1"
        for client in clients:
            await client.send(b"PING\r\n")
        ends = [(await client.read()).decode() for client in clients]
        assert sorted(ends) == ["-ERR 'maximum connections exceeded'"] * 2 + ["PONG"]
        for client in clients:
            client.close()


@servers
def test_flags_win_over_the_file_and_the_log_says_where(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "book.conf"
    file.write_text("listen = 0.0.0.0:1\nlogtime = false\n")  # 4-2, 4-3, 4-5
    arguments = [*command(), "-c", str(file), "-p", "-1", "-a", "127.0.0.1"]
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line.strip())
        if "Server is ready" in line:
            break
    process.send_signal(signal.SIGINT)
    lines += [line.strip() for line in process.stderr]
    assert process.wait(10) == 0
    process.stderr.close()
    said = [line.removeprefix(f"[{process.pid}] ") for line in lines]
    assert said[0].startswith("[INF] Starting nat")
    assert any(line.startswith("[INF] Listening for client connections on 127.0.0.1:") for line in said)
    assert said[-4:] == [
        "[INF] Server is ready",
        '[INF] Trapped "interrupt" signal',
        "[INF] Initiating Shutdown...",
        "[INF] Server Exiting..",
    ]
