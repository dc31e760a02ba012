from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli.conftest import PATIENCE_S, Shell, running_server

Server = Callable[[str], str]


def send_wire(url: str, wire: bytes) -> None:
    """Send bytes no client library would, and wait until the server has handled them."""
    parts = urlsplit(url)
    with (
        socket.create_connection((str(parts.hostname), parts.port or 0), PATIENCE_S) as peer,
        peer.makefile("rb") as answers,
    ):
        peer.sendall(b'CONNECT {"verbose":false,"headers":true}\r\n' + wire + b"PING\r\n")
        while answers.readline() != b"PONG\r\n":
            pass


def hpub(headers: bytes, body: bytes) -> bytes:
    return b"HPUB sub.evil.h %d %d\r\n%b%b\r\n" % (len(headers), len(headers) + len(body), headers, body)


def test_the_output_for_people_shows_subject_reply_headers_and_body(natsctl: Shell) -> None:
    sub = natsctl.start("sub", "sub.human.>", "--count", "3", until="Subscribed")
    natsctl("pub", "sub.human.one", "hello", "--reply", "answers", "-H", "K:v", "-H", "K:w")
    natsctl("pub", "sub.human.ünï", "two\nlines\n")
    natsctl("pub", "sub.human.empty")
    done = sub.finish()
    assert done.code == 0
    assert done.out.decode() == (
        '[#1] Received on "sub.human.one" with reply "answers"\nK: v\nK: w\n\nhello\n\n'
        '[#2] Received on "sub.human.ünï"\ntwo\nlines\n\n'
        '[#3] Received on "sub.human.empty"\nnil body\n\n'
    )
    assert done.err == "Subscribed to sub.human.>\n"


def test_json_holds_text_as_text_and_bytes_as_base64(natsctl: Shell) -> None:
    sub = natsctl.start("sub", "sub.json", "--count", "2", "--json", until="Subscribed")
    natsctl("pub", "sub.json", "grüße")
    natsctl("pub", "sub.json", stdin=b"\xff")
    text, binary = sub.finish().lines
    assert (text["body"], text["seq"], text["sid"], text["subject"]) == ("grüße", 1, 1, "sub.json")
    assert str(text["time"]).endswith("+00:00")
    assert (binary["body_base64"], binary["seq"]) == ("/w==", 2)
    assert "body" not in binary


def test_headers_only_and_timestamps_change_the_form(natsctl: Shell) -> None:
    plain = natsctl.start("sub", "sub.form", "--count", "1", "--headers-only", until="Subscribed")
    stamped = natsctl.start("sub", "sub.form", "--count", "1", "--delta", until="Subscribed")
    natsctl("pub", "sub.form", "body", "-H", "K:v")
    assert plain.finish().out == b'[#1] Received on "sub.form"\nK: v\n'
    assert stamped.finish().out.startswith(b"[#1] @ ")


def test_count_is_exact_across_subjects_under_load(natsctl: Shell) -> None:
    sub = natsctl.start("sub", "sub.load.a", "sub.load.b", "--count", "15000", "--raw", until="Subscribed")
    numbered = b"".join(b'{"subject":"sub.load.%b","body":"%d"}\n' % (b"ab"[i % 2 :][:1], i) for i in range(20000))
    assert natsctl("pub", "--ndjson", "-", stdin=numbered).code == 0
    done = sub.finish()
    assert done.code == 0
    received = [int(line) for line in done.out.split()]
    assert len(received) == len(set(received)) == 15000
    for remainder in (0, 1):
        of_one = [number for number in received if number % 2 == remainder]
        assert of_one == sorted(of_one)


def test_a_queue_member_takes_no_more_than_its_count(natsctl: Shell) -> None:
    first = natsctl.start("sub", "sub.q", "--queue", "workers", "--count", "5", "--json", until="Subscribed")
    second = natsctl.start("sub", "sub.q", "--queue", "workers", "--count", "15", "--json", until="Subscribed")
    natsctl("pub", "sub.q", "{{Count}}", "--templates", "--count", "20")
    taken = [message["body"] for message in first.finish().lines + second.finish().lines]
    assert sorted(taken, key=lambda body: int(str(body))) == [str(number) for number in range(1, 21)]


def test_wait_ends_after_a_silence(natsctl: Shell) -> None:
    sub = natsctl.start("sub", "sub.wait", "--wait", "1s", "--raw", until="Subscribed")
    natsctl("pub", "sub.wait", "x")
    done = sub.finish()
    assert (done.code, done.out) == (0, b"x\n")


def test_ignored_subjects_are_neither_shown_nor_counted(natsctl: Shell) -> None:
    sub = natsctl.start("sub", "sub.ig.>", "-I", "sub.ig.x,sub.ig.y.>", "--count", "2", "--raw", until="Subscribed")
    for subject in ("sub.ig.x", "sub.ig.a", "sub.ig.y.z", "sub.ig.y"):
        natsctl("pub", subject, subject)
    assert sub.finish().out == b"sub.ig.a\nsub.ig.y\n"


def test_dump_writes_private_files_that_can_be_published_again(natsctl: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "dump"
    sub = natsctl.start("sub", "sub.dump.>", "--count", "2", "--dump", str(folder), until="Subscribed")
    natsctl("pub", "sub.dump.a/b", "one")
    natsctl("pub", "sub.dump.c", stdin=b"\xff")
    assert sub.finish().code == 0
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == ["00000001.json", "00000002.json"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert json.loads(files[0].read_bytes())["subject"] == "sub.dump.a/b"
    again = natsctl("sub", "sub.dump.>", "--count", "1", "--dump", str(folder))
    assert again.code == 2
    assert "is not empty" in again.err
    assert natsctl("pub", "--ndjson", str(files[1])).code == 0


def test_the_report_counts_by_subject(natsctl: Shell) -> None:
    table = natsctl.start("sub", "sub.rep.>", "--report-subjects", "--count", "4", until="Subscribed")
    document = natsctl.start("sub", "sub.rep.>", "--report-subjects", "--count", "4", "--json", until="Subscribed")
    natsctl("pub", "sub.rep.b", "12345", "--count", "3")
    natsctl("pub", "sub.rep.a", "1")
    rows = [line.split() for line in table.finish().out.decode().splitlines()]
    assert rows == [
        ["Subject", "Messages", "Bytes"],
        ["sub.rep.b", "3", "15", "B"],
        ["sub.rep.a", "1", "1", "B"],
        ["2", "subjects", "4", "16", "B"],
    ]
    assert json.loads(document.finish().out) == {
        "subjects": [
            {"subject": "sub.rep.b", "messages": 3, "bytes": 15},
            {"subject": "sub.rep.a", "messages": 1, "bytes": 1},
        ],
        "other": {"messages": 0, "bytes": 0},
        "total": {"messages": 4, "bytes": 16},
    }


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_quietly_and_nothing_received_is_lost(natsctl: Shell, sent: signal.Signals, code: int) -> None:
    sub = natsctl.start("sub", "sub.sig", "--raw", until="Subscribed")
    natsctl("pub", "sub.sig", "x", "--count", "500")
    done = sub.finish(sent)
    assert (done.code, done.err) == (code, "Subscribed to sub.sig\n")
    assert done.out == b"x\n" * 500


def test_a_report_is_shown_after_ctrl_c(natsctl: Shell) -> None:
    sub = natsctl.start("sub", "sub.sigrep", "--report-subjects", until="Subscribed")
    natsctl("pub", "sub.sigrep", "x", "--count", "7")
    done = sub.finish(signal.SIGINT)
    assert done.code == 130
    assert b"sub.sigrep         7" in done.out


def test_a_reader_that_goes_away_ends_it_quietly(natsctl: Shell) -> None:
    sub = natsctl.start("sub", "sub.pipe", "--raw", until="Subscribed")
    natsctl("pub", "sub.pipe", "first")
    assert sub.read_out(6) == b"first\n"
    assert sub.process.stdout is not None
    sub.process.stdout.close()
    natsctl("pub", "sub.pipe", "second")
    sub.process.wait(PATIENCE_S)
    assert sub.process.returncode == 141
    assert sub.process.stderr is not None
    assert sub.process.stderr.read() == b""


def test_output_nobody_reads_does_not_fill_the_memory_and_is_reported(natsctl: Shell) -> None:
    sub = natsctl.start("sub", "sub.slow", "--count", "150", "--raw", until="Subscribed")
    # Slowly enough for the server not to take it for a slow consumer, which would cut the connection.
    assert natsctl("pub", "sub.slow", "--count", "150", "--rate", "50", stdin=b"x" * 1_000_000).code == 0
    with open(f"/proc/{sub.process.pid}/status") as status:
        resident_kib = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    assert resident_kib < 300_000
    done = sub.finish()
    assert done.code == 9
    shown = len(done.out) // 1_000_001
    assert 0 < shown < 150
    assert f"{150 - shown} of 150 messages were dropped: output was too slow" in done.err


def test_a_signal_ends_it_though_nobody_reads_its_output(natsctl: Shell) -> None:
    sub = natsctl.start("sub", "sub.stuck", "--raw", until="Subscribed")
    natsctl("pub", "sub.stuck", stdin=b"x" * 1_000_000)
    sub.process.send_signal(signal.SIGINT)
    sub.process.send_signal(signal.SIGTERM)
    assert sub.process.wait(PATIENCE_S) in (130, 143)  # two at once may be seen in either order


def test_hostile_messages_are_shown_and_do_no_harm(natsctl: Shell) -> None:
    sub = natsctl.start("sub", "sub.evil.>", "--count", "5", "--json", until="Subscribed")
    send_wire(
        natsctl.url,
        b"PUB sub.evil.\xff\xfe 1\r\na\r\n"
        + hpub(b"NATS/1.0", b"b")
        + hpub(b"\xff\xff\xff", b"c")
        + hpub(b"NATS/1.0\r\n\xff: \xfe\r\nno colon\r\n\r\n", b"d")
        + hpub(b"NATS/1.0 \xff\xff\xff\r\n", b"e"),
    )
    done = sub.finish()
    assert done.code == 0
    assert [message["body"] for message in done.lines] == ["a", "b", "c", "d", "e"]
    assert done.lines[0]["subject"] == "sub.evil.\ufffd\ufffd"


def test_subjects_and_headers_cannot_command_the_terminal(natsctl: Shell) -> None:
    sub = natsctl.start("sub", "sub.esc.>", "--count", "1", until="Subscribed")
    send_wire(natsctl.url, b"HPUB sub.esc.\x1b[2J 22 23\r\nNATS/1.0\r\nA: \x1b]0;x\r\n\r\nb\r\n")
    assert sub.finish().out == b'[#1] Received on "sub.esc.\\x1b[2J"\nA: \\x1b]0;x\n\nb\n\n'


def test_bodies_cannot_command_the_terminal(natsctl: Shell) -> None:
    controller, terminal = os.openpty()
    command = [sys.executable, "-m", "natsctl", "sub", "sub.tty", "--count", "1"]
    with subprocess.Popen(command, stdout=terminal, stderr=subprocess.PIPE, env=natsctl.environment) as process:
        os.close(terminal)
        assert process.stderr is not None
        assert process.stderr.readline() == b"Subscribed to sub.tty\n"
        natsctl("pub", "sub.tty", stdin=b"\x1b[2J\xff\tok")
        shown = b""
        while b"ok" not in shown:
            shown += os.read(controller, 4096)
    os.close(controller)
    assert b"\\x1b[2J\\xff\tok" in shown


def test_a_refused_subscription_exits_5(natsctl: Shell, start_server: Server) -> None:
    users = "users: [{ user: u, password: p, permissions: { subscribe: { allow: [Public.>, _INBOX.>] } } }]"
    url = start_server(f"authorization {{ {users} }}")
    done = natsctl("sub", "Private.Things", "-s", url, "--user", "u", "--password", "p")
    assert (done.code, done.out) == (5, b"")
    assert 'not allowed to subscribe to "Private.Things"' in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("foo..bar",),
        ("foo bar",),
        ("foo", "--queue", "a b"),
        ("foo", "--raw", "--json"),
        ("foo", "--timestamps", "--delta"),
        ("foo", "--delta", "--json"),
        ("foo", "--headers-only", "--raw"),
        ("foo", "-I", "a..b"),
        ("foo", "--wait", "-1s"),
        ("foo", "--count", "-1"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(natsctl: Shell, arguments: tuple[str, ...]) -> None:
    done = natsctl("sub", *arguments)
    assert (done.code, done.out) == (2, b"")


def test_it_reconnects_and_goes_on(natsctl: Shell, tmp_path: Path) -> None:
    with running_server(tmp_path / "one") as url:
        port = urlsplit(url).port
        sub = natsctl.start("sub", "foo", "--count", "1", "--raw", "-s", url, until="Subscribed")
    sub.wait_for("disconnected")
    with running_server(tmp_path / "two", port=port or 0) as url:
        sub.wait_for("reconnected")
        assert natsctl("pub", "foo", "again", "-s", url).code == 0
        assert sub.finish().out == b"again\n"
