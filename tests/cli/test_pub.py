from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Background, Shell

Server = Callable[[str], str]


def taking(natsctl: Shell, subject: str, count: int) -> Background:
    """Receive what the tests publish."""
    return natsctl.start("sub", subject, "--count", str(count), "--json", until="Subscribed")


def test_a_message_arrives_as_it_was_sent(natsctl: Shell) -> None:
    sub = taking(natsctl, "pub.plain", 1)
    done = natsctl("pub", "pub.plain", "hi there", "--reply", "answers.here", "-H", "A:1", "-H", "A: 2", "-H", "b:x:y")
    assert (done.code, done.out, done.err) == (0, b"", 'Published 8 bytes to "pub.plain"\n')
    [message] = sub.finish().lines
    assert message["body"] == "hi there"
    assert message["reply"] == "answers.here"
    assert message["headers"] == {"A": ["1", "2"], "b": ["x:y"]}


@pytest.mark.parametrize("body", [b"", b"\x00\xff\r\n", "grüße €".encode(), pytest.param(b"x" * 1_000_000, id="large")])
def test_any_body_comes_through_stdin_unchanged(natsctl: Shell, body: bytes) -> None:
    sub = natsctl.start("sub", "pub.stdin", "--count", "1", "--raw", until="Subscribed")
    assert natsctl("pub", "pub.stdin", stdin=body).code == 0
    assert sub.finish().out == body + b"\n"


def test_a_body_is_read_from_a_file(natsctl: Shell, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"from a file\n")
    sub = natsctl.start("sub", "pub.file", "--count", "1", "--raw", until="Subscribed")
    assert natsctl("pub", "pub.file", f"@{tmp_path}/body").code == 0
    assert sub.finish().out == b"from a file\n\n"


def test_a_missing_file_is_named(natsctl: Shell) -> None:
    done = natsctl("pub", "foo", "@/nowhere/to/be/found")
    assert done.code == 1
    assert "/nowhere/to/be/found" in done.err


def test_each_line_can_be_a_message(natsctl: Shell) -> None:
    sub = taking(natsctl, "pub.lines", 3)
    assert natsctl("pub", "pub.lines", "--send-on", "newline", stdin=b"one\r\ntwo\nthree").code == 0
    assert [message["body"] for message in sub.finish().lines] == ["one", "two", "three"]


def test_braces_are_sent_as_they_are_unless_templates_are_asked_for(natsctl: Shell) -> None:
    sub = taking(natsctl, "pub.t.*", 3)
    assert natsctl("pub", "pub.t.x", '{"a":{{b}}}').code == 0
    assert natsctl("pub", "pub.t.{{Count}}", "n {{.Cnt}}", "--templates", "--count", "2", "-H", "N:{{Count}}").code == 0
    messages = sub.finish().lines
    assert messages[0]["body"] == '{"a":{{b}}}'
    assert [(m["subject"], m["body"], m["headers"]) for m in messages[1:]] == [
        ("pub.t.1", "n 1", {"N": ["1"]}),
        ("pub.t.2", "n 2", {"N": ["2"]}),
    ]


def test_an_unknown_template_is_a_usage_error(natsctl: Shell) -> None:
    done = natsctl("pub", "foo", "{{Nonsense}}", "--templates")
    assert done.code == 2
    assert "{{Nonsense}}" in done.err


def test_count_with_json_gives_a_summary_on_stdout(natsctl: Shell) -> None:
    done = natsctl("pub", "pub.many", "12345", "--count", "2000", "--json", "--quiet")
    summary = json.loads(done.out)
    assert (summary["messages"], summary["bytes"]) == (2000, 10000)
    assert done.err == ""


def test_rate_spaces_messages_evenly(natsctl: Shell) -> None:
    sub = natsctl.start("sub", "pub.rate", "--count", "21", "--json", until="Subscribed")
    started = time.monotonic()
    assert natsctl("pub", "pub.rate", "x", "--count", "21", "--rate", "40").code == 0
    assert time.monotonic() - started >= 0.5
    assert len(sub.finish().lines) == 21


def test_ndjson_from_sub_can_be_published_again(natsctl: Shell) -> None:
    sub = taking(natsctl, "pub.first.>", 2)
    natsctl("pub", "pub.first.a", "text", "-H", "K:v", "-H", "K:w", "--reply", "r")
    natsctl("pub", "pub.first.b", stdin=b"\xff\x00")
    recorded = sub.finish().out
    again = taking(natsctl, "pub.first.>", 2)
    assert natsctl("pub", "--ndjson", "-", stdin=recorded).code == 0
    unstamped = [{**m, "time": "", "sid": 0} for m in again.finish().lines]
    assert unstamped == [{**json.loads(line), "time": "", "sid": 0} for line in recorded.splitlines()]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("nonsense", "line 2: "),
        ('{"body":"x"}', "line 2: object missing required field `subject`"),
        ('{"subject":"a","boddy":"x"}', "line 2: object contains unknown field `boddy`"),
        ('{"subject":"a","body":1}', "line 2: expected `str | null`, got `int`"),
        ('{"subject":"a","body":"x","body_base64":"eA=="}', "line 2: either body or body_base64"),
        ('{"subject":"a","body_base64":"?"}', "line 2: invalid base64"),
        ('{"subject":"a","headers":{"b c":"x"}}', "line 2: invalid header name"),
    ],
)
def test_an_ndjson_error_names_its_line(natsctl: Shell, line: str, complaint: str) -> None:
    done = natsctl("pub", "--ndjson", "-", stdin=b'{"subject":"pub.nd"}\n' + line.encode() + b"\n")
    assert done.code == 2
    assert complaint in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("foo", "x", "-H", "no colon"),
        ("foo", "x", "-H", ": value"),
        ("foo", "x", "-H", "bad name: value"),
        ("foo", "x", "-H", "a:one\r\nb: two"),
        ("foo bar", "x"),
        ("foo\r\nPUB evil 0\r\n", "x"),
        ("foo", "x", "--reply", "a\r\nb"),
        ("foo.*", "x"),
        ("foo..bar", "x"),
        ("foo", "x", "--reply", "a b"),
        ("foo", "x", "--rate", "5", "--sleep", "1s"),
        ("foo", "x", "--sleep", "soon"),
        ("foo", "x", "--ndjson", "-"),
        ("foo", "x", "--send-on", "newline"),
        (),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(natsctl: Shell, arguments: tuple[str, ...]) -> None:
    done = natsctl("pub", *arguments)
    assert done.code == 2
    assert done.out == b""


def test_too_large_a_message_is_refused_before_it_is_sent(natsctl: Shell, start_server: Server) -> None:
    url = start_server("max_payload: 1000")
    assert natsctl("pub", "-s", url, "foo", "x" * 1000).code == 0
    done = natsctl("pub", "-s", url, "foo", "x" * 990, "-H", "a:b")
    assert done.code == 1
    assert "payload of 1008 bytes exceeds max_payload 1000" in done.err
    assert natsctl("pub", "-s", url, "foo", stdin=b"x" * 100_000).code == 2


def test_a_refused_subject_is_named_as_written_and_exits_5(natsctl: Shell, start_server: Server) -> None:
    users = "users: [{ user: u, password: p, permissions: { publish: { deny: Secret.> } } }]"
    url = start_server(f"authorization {{ {users} }}")
    done = natsctl("pub", "Secret.Plans", "x", "-s", url, "--user", "u", "--password", "p")
    assert (done.code, done.err) == (
        5,
        'natsctl: permissions violation: not allowed to publish to "Secret.Plans"\n',
    )


def test_no_server_exits_6_and_names_the_address(natsctl: Shell) -> None:
    done = natsctl("pub", "foo", "x", "-s", "nats://someone:hidden@127.0.0.1:1")
    assert done.code == 6
    assert "nats://127.0.0.1:1 (connection refused)" in done.err
    assert "hidden" not in done.err


def test_the_next_server_is_tried(natsctl: Shell) -> None:
    assert natsctl("pub", "foo", "x", "-s", f"nats://127.0.0.1:1,{natsctl.url}").code == 0
    assert natsctl("pub", "foo", "x", "-s", "127.0.0.1:1", "-s", natsctl.url).code == 0
