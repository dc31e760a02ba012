from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from tests.cli.conftest import Shell

Server = Callable[[str], str]


def test_the_reply_is_on_stdout_and_the_rtt_on_stderr(natsctl: Shell) -> None:
    natsctl.start("reply", "req.one", "the answer", "-H", "K:v", "--count", "1", until="Answering")
    done = natsctl("request", "req.one", "question")
    assert (done.code, done.out) == (0, b"K: v\n\nthe answer\n\n")
    assert done.err.startswith("Received with rtt ")


def test_json_has_the_reply_and_its_rtt(natsctl: Shell) -> None:
    natsctl.start("reply", "req.json", "--echo", "--count", "2", until="Answering")
    done = natsctl("request", "req.json", "--json", "--count", "2", "-H", "A:1", "-H", "A:2", stdin=b"\xff\x00")
    assert done.code == 0
    assert len(done.lines) == 2
    for reply in done.lines:
        assert (reply["body_base64"], reply["headers"]) == ("/wA=", {"A": ["1", "2"]})
        assert 0 < float(str(reply["rtt_s"])) < 5


def test_nobody_there_exits_7_at_once(natsctl: Shell) -> None:
    started = time.monotonic()
    done = natsctl("request", "req.nobody", "x", "--timeout", "15s")
    assert (done.code, done.out, done.err) == (7, b"", 'natsctl: no responders for "req.nobody"\n')
    assert time.monotonic() - started < 10


def test_no_reply_in_time_exits_8(natsctl: Shell) -> None:
    natsctl.start("sub", "req.silent", until="Subscribed")
    done = natsctl("request", "req.silent", "x", "--timeout", "300ms")
    assert (done.code, done.out) == (8, b"")
    assert done.err == 'natsctl: no reply on "req.silent" within 0.3 s\n'


def start_repliers(natsctl: Shell, subject: str, bodies: list[str]) -> None:
    for number, body in enumerate(bodies):
        natsctl.start("reply", subject, body, "--queue", f"q{number}", until="Answering")


def test_gather_takes_every_reply_until_it_is_quiet(natsctl: Shell) -> None:
    start_repliers(natsctl, "req.all", ["one", "two", "three"])
    started = time.monotonic()
    done = natsctl("request", "req.all", "x", "--gather", "--idle", "500ms", "--total", "15s", "--raw")
    assert done.code == 0
    assert sorted(done.out.split()) == [b"one", b"three", b"two"]
    assert time.monotonic() - started < 10


def test_gather_stops_at_the_expected_number(natsctl: Shell) -> None:
    start_repliers(natsctl, "req.expect", ["one", "two"])
    enough = natsctl(
        "request", "req.expect", "x", "--gather", "--expect", "2", "--idle", "15s", "--total", "15s", "--raw"
    )
    assert (enough.code, len(enough.out.split())) == (0, 2)
    short = natsctl("request", "req.expect", "x", "--gather", "--expect", "3", "--idle", "300ms", "--raw")
    assert (short.code, len(short.out.split())) == (9, 2)
    assert '2 of 3 expected replies on "req.expect"' in short.err


def test_gather_can_end_at_an_empty_reply(natsctl: Shell) -> None:
    start_repliers(natsctl, "req.empty", [""])
    done = natsctl("request", "req.empty", "x", "--gather", "--until-empty", "--total", "15s", "--raw")
    assert (done.code, done.out) == (0, b"")


def test_gather_shows_people_a_table(natsctl: Shell) -> None:
    start_repliers(natsctl, "req.table", ["an [answer]\x1b[2J"])
    done = natsctl("request", "req.table", "x", "--gather", "--idle", "300ms")
    header, row = done.out.decode().splitlines()
    assert header.split() == ["#", "RTT", "Bytes", "Reply"]
    assert row.startswith("1") and row.endswith("an [answer]\\x1b[2J")


def test_an_error_reply_is_shown_and_fails(natsctl: Shell) -> None:
    natsctl.start("reply", "req.error", "", "-H", "Nats-Service-Error:out of paper", until="Answering")
    done = natsctl("request", "req.error", "x")
    assert done.code == 1
    assert b"Nats-Service-Error: out of paper" in done.out
    assert "out of paper" in done.err


def test_a_refused_request_exits_5_without_waiting(natsctl: Shell, start_server: Server) -> None:
    url = start_server("authorization { users: [{ user: u, password: p, permissions: { publish: { deny: nope } } }] }")
    started = time.monotonic()
    done = natsctl("request", "nope", "x", "-s", url, "--user", "u", "--password", "p", "--timeout", "15s")
    assert done.code == 5
    assert time.monotonic() - started < 10


def test_ctrl_c_ends_the_wait_quietly(natsctl: Shell) -> None:
    listener = natsctl.start("sub", "req.wait", "--count", "1", "--json", until="Subscribed")
    request = natsctl.start("request", "req.wait", "x", "--timeout", "50s")
    assert listener.finish().code == 0
    done = request.finish(signal.SIGINT)
    assert (done.code, done.out, done.err) == (130, b"", "")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("foo.*",),
        ("foo", "x", "--expect", "2"),
        ("foo", "x", "--idle", "1s"),
        ("foo", "x", "--raw", "--json"),
        ("foo", "x", "--gather", "--expect", "0"),
        ("foo", "x", "-H", "bad"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(natsctl: Shell, arguments: tuple[str, ...]) -> None:
    done = natsctl("request", *arguments)
    assert (done.code, done.out) == (2, b"")
