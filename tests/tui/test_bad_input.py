"""The dashboard before what is no monitoring port: a sentence, what to try, the screen given back, the exit code."""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from natsctl.monitoring.documents import Varz, encode
from tests.support.canned import http_answer, port_that_says
from tests.support.certs import make_authority, make_leaf, write_pair
from tests.support.terminal import Terminal

LINK_ERROR = 6
MIB = 1024 * 1024
VARZ = http_answer("200 OK", encode(Varz(server_id="N", now="2026-01-02T03:04:05Z")))


@contextlib.contextmanager
def top(*args: str, rows: int = 24, columns: int = 80) -> Iterator[Terminal]:
    """The dashboard on a terminal."""
    terminal = Terminal(sys.executable, "-m", "natsctl", "top", "-d", "0.2", *args, rows=rows, columns=columns)
    try:
        yield terminal
    finally:
        terminal.close()


def explains(args: list[str], sentence: str, hint: str) -> None:
    """Look whether it says on the screen, and once more after it, what is wrong and what to try."""
    with top(*args) as terminal:
        terminal.wait_for_words("no answer yet")
        assert sentence in terminal.words
        terminal.type(b"q")
        assert terminal.exit_code() == LINK_ERROR
        assert terminal.is_restored
        said, _, tried = terminal.left_behind.partition("\r\nhint: ")
        assert said.startswith("natsctl: ")
        assert sentence in said
        assert hint in tried


@pytest.mark.parametrize(
    ("answer", "sentence", "hint"),
    [
        (http_answer("404 Not Found", b"404 page not found"), "has no /varz (HTTP 404)", "--base-path PATH"),
        (http_answer("401 Unauthorized", b""), "refuses /varz (HTTP 401)", "proxy"),
        (http_answer("500 Internal Server Error", b"out of order"), "with HTTP 500: out of order", "log"),
        (
            http_answer("200 OK", b"<!doctype html><title>router</title>"),
            "answers with a web page",
            "usually port 8222",
        ),
        (http_answer("200 OK", b'{"server_id": "N'), "ends in the middle", "just have stopped"),
        (http_answer("200 OK", b'{"server_id": "N', length=400), "ends in the middle", "just have stopped"),
        (http_answer("200 OK", b'{"server_id": "' + b"x" * 50 * MIB), "ends in the middle", "just have stopped"),
        (b"500 what?\r\n\r\n", "does not speak HTTP", "usually port 8222"),
    ],
    ids=["404", "401", "500", "web page", "truncated JSON", "cut off", "50 MiB", "not HTTP"],
)
def test_an_answer_that_is_no_document(answer: bytes, sentence: str, hint: str) -> None:
    with port_that_says([answer]) as port:
        explains(["-m", str(port)], sentence, hint)


def test_an_answer_without_end() -> None:
    endless = [http_answer("200 OK", b'{"server_id": "', length=10**12), *[b"x" * MIB] * 100]
    with port_that_says(endless) as port:
        explains(["-m", str(port)], "is larger than", "")


def test_an_answer_that_does_not_come_in_time() -> None:
    with port_that_says(None) as port:
        explains(["-m", str(port), "--timeout", "0.5"], "no complete answer to /varz within 0.5 s", "allow more time")


def test_a_server_that_has_not_answered_yet_is_waited_for_and_is_no_failure() -> None:
    with port_that_says(None) as port, top("-m", str(port)) as terminal:
        terminal.wait_for_words("waiting for an answer")
        terminal.type(b"q")
        assert terminal.exit_code() == 0
        assert terminal.is_restored


def test_a_host_that_does_not_exist() -> None:
    explains(["-s", "no-such-host.invalid"], "cannot find the host of no-such-host.invalid:8222", "check the name")


def test_a_host_that_takes_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as waiting:
        for _ in range(4):  # Linux takes one more than the backlog
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        port = full.getsockname()[1]
        explains(["-m", str(port)], "does not answer", "firewalls")


class Https:
    """Ports with certificates of one CA, whose own is in the file ``ca``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._issued = datetime.now(UTC) - timedelta(days=2)
        self._authority = make_authority(self._issued)
        self.ca = directory / "ca.pem"
        write_pair(self._authority, self.ca)

    @contextlib.contextmanager
    def port(self, host: str = "127.0.0.1", days: int = 9, *, asks_back: bool = False) -> Iterator[int]:
        """A port with a certificate for a host, which perhaps demands one of clients as well."""
        path = self._directory / "server.pem"
        write_pair(make_leaf(self._authority, host, now=self._issued, expiry=timedelta(days=days)), path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path, path.with_name("server-key.pem"))
        if asks_back:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca)
        with port_that_says([VARZ], context) as port:
            yield port


@pytest.fixture
def https(tmp_path: Path) -> Https:
    return Https(tmp_path)


def test_a_certificate_of_an_unknown_ca(https: Https) -> None:
    with https.port() as port:
        explains(["-ms", str(port)], "is not trusted: unable to get local issuer certificate", "name the CA")


def test_a_certificate_of_another_host(https: Https) -> None:
    with https.port("10.0.0.1") as port:
        explains(["-ms", str(port), "-cacert", str(https.ca)], "is not trusted: IP address mismatch", "an address that")


def test_a_certificate_that_has_expired(https: Https) -> None:
    with https.port(days=1) as port:
        explains(["-ms", str(port), "-cacert", str(https.ca)], "is not trusted: certificate has expired", "renew")


def test_a_demand_for_a_certificate(https: Https) -> None:
    with https.port(asks_back=True) as port:
        explains(["-ms", str(port), "-cacert", str(https.ca)], f"127.0.0.1:{port}", "client certificate")


def test_https_on_a_plain_port() -> None:
    with port_that_says([VARZ]) as port:
        explains(["-ms", str(port)], "does not speak TLS", "-m PORT")


def test_a_plain_request_to_https(https: Https) -> None:
    with https.port() as port:
        explains(["-m", str(port)], f"127.0.0.1:{port}", "-ms PORT")


def test_a_terminal_that_becomes_tiny_and_large_again() -> None:
    with port_that_says([VARZ]) as port, top("-m", str(port)) as terminal:
        terminal.wait_for_words("slow consumers")
        for columns, rows, keys in ((1, 1, b""), (2, 2, b""), (20, 5, b"2345?1")):
            terminal.resize(rows, columns)
            terminal.process.send_signal(signal.SIGWINCH)
            terminal.type(keys)
        terminal.output = b""
        terminal.resize(30, 120)
        terminal.process.send_signal(signal.SIGWINCH)
        terminal.wait_for_words("slow consumers")
        terminal.type(b"q")
        assert terminal.exit_code() == 0
        assert terminal.is_restored
