from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import PATIENCE_S, Shell

Server = Callable[[str], str]

REPORT = """
import json, os, sys
request = {k.removeprefix("NATS_REQUEST_"): v for k, v in os.environ.items() if k.startswith("NATS_REQUEST_")}
print(json.dumps({"argv": sys.argv[1:], "stdin": sys.stdin.read(), "request": request}))
"""


def script(tmp_path: Path, code: str, *arguments: str) -> str:
    """Make a command line that runs Python code."""
    path = tmp_path / "script.py"
    path.write_text(code)
    return shlex.join([sys.executable, str(path), *arguments])


def test_a_command_learns_everything_about_its_request(natsctl: Shell, tmp_path: Path) -> None:
    command = script(tmp_path, REPORT, "{{1}}", "{{7}}", "<{{.Request}}>", "$HOME;")
    natsctl.start("reply", "rep.cmd.*", "--command", command, until="Answering", NATS_REQUEST_BODY="stale")
    done = natsctl("request", "rep.cmd.x", "it's; $(touch /tmp/x) {{0}}", "--raw", "-H", "X-Id:1", "-H", "X-Id:2")
    answer = json.loads(done.out)
    request = answer["request"]
    assert answer["argv"] == ["cmd", "", "<it's; $(touch /tmp/x) {{0}}>", "$HOME;"]
    assert answer["stdin"] == "it's; $(touch /tmp/x) {{0}}"
    assert request.pop("REPLY").startswith("_INBOX.")
    assert request == {"SUBJECT": "rep.cmd.x", "BODY": "it's; $(touch /tmp/x) {{0}}", "HEADER_X_ID": "1, 2"}


@pytest.mark.parametrize("body", [b"\xff\xfe", b"nul\x00nul", pytest.param(b"x" * 200_000, id="large")])
def test_a_body_that_fits_no_variable_still_comes_on_stdin(natsctl: Shell, tmp_path: Path, body: bytes) -> None:
    code = "import os, sys; print(len(sys.stdin.buffer.read()), 'NATS_REQUEST_BODY' in os.environ)"
    natsctl.start("reply", "rep.big", "--quiet", "--command", script(tmp_path, code), until="Answering")
    assert natsctl("request", "rep.big", "--raw", stdin=body).out == f"{len(body)} False\n\n".encode()


def test_a_failing_command_answers_with_an_error_and_never_with_its_output(natsctl: Shell, tmp_path: Path) -> None:
    code = "import sys; print('inner secret'); print('to stderr', file=sys.stderr); sys.exit(3)"
    reply = natsctl.start("reply", "rep.fail", "--command", script(tmp_path, code), "--count", "1", until="Answering")
    done = natsctl("request", "rep.fail", "x", "--json")
    assert done.code == 1
    [answer] = done.lines
    assert answer["headers"] == {
        "Nats-Service-Error": ["the command ended with exit code 3"],
        "Nats-Service-Error-Code": ["500"],
    }
    assert answer["body"] == ""
    own = reply.finish()
    assert "inner secret" in own.err
    assert "to stderr" in own.err


def test_a_command_that_takes_too_long_is_ended_with_its_children(natsctl: Shell, tmp_path: Path) -> None:
    code = "import subprocess as s; child = s.Popen(['sleep', '1000']); print(child.pid, flush=True); child.wait()"
    command = script(tmp_path, code)
    options = ("--command-timeout", "1s", "--count", "1")
    reply = natsctl.start("reply", "rep.late", "--command", command, *options, until="Answering")
    done = natsctl("request", "rep.late", "x", "--json")
    [answer] = done.lines
    assert answer["headers"] == {
        "Nats-Service-Error": ["the command did not end within 1s"],
        "Nats-Service-Error-Code": ["504"],
    }
    child = reply.finish().err.splitlines()[-1]
    state = subprocess.run(["ps", "-o", "stat=", "-p", child], capture_output=True, text=True).stdout.strip()
    assert state in ("", "Z")


def test_a_command_that_does_not_exist_is_an_error_answer(natsctl: Shell) -> None:
    natsctl.start("reply", "rep.none", "--command", "/no/such/program", until="Answering")
    done = natsctl("request", "rep.none", "x")
    assert done.code == 1
    assert b"the command could not be started" in done.out


def test_too_long_an_answer_is_an_error_answer(natsctl: Shell, tmp_path: Path) -> None:
    code = "import sys\nwhile True: sys.stdout.write('x' * 100000)"
    natsctl.start("reply", "rep.long", "--command", script(tmp_path, code), until="Answering")
    done = natsctl("request", "rep.long", "x", "--json")
    assert "more than the 1048576 bytes" in str(done.lines[0]["headers"])


def test_requests_are_worked_on_at_the_same_time_within_the_limit(natsctl: Shell, tmp_path: Path) -> None:
    code = f"""
import os, time
folder = {str(tmp_path)!r} + "/running"
os.makedirs(folder, exist_ok=True)
open(f"{{folder}}/{{os.getpid()}}", "w").close()
time.sleep(0.3)
print(len(os.listdir(folder)))
os.remove(f"{{folder}}/{{os.getpid()}}")
"""
    natsctl.start("reply", "rep.par", "--command", script(tmp_path, code), "--concurrency", "2", until="Answering")
    requests = [natsctl.start("request", "rep.par", "x", "--raw", "--timeout", "15s") for _ in range(5)]
    together = [int(request.finish().out) for request in requests]
    assert max(together) == 2


def test_echo_gives_back_body_and_headers(natsctl: Shell) -> None:
    natsctl.start("reply", "rep.echo", "--echo", until="Answering")
    [answer] = natsctl("request", "rep.echo", "same", "-H", "A:1", "-H", "A:2", "--json").lines
    assert (answer["body"], answer["headers"]) == ("same", {"A": ["1", "2"]})


def test_count_ends_it_after_the_last_answer(natsctl: Shell) -> None:
    reply = natsctl.start("reply", "rep.count", "yes", "--count", "2", "--sleep", "50ms", until="Answering")
    assert [natsctl("request", "rep.count", "x", "--raw").out for _ in range(2)] == [b"yes\n", b"yes\n"]
    done = reply.finish()
    assert done.code == 0
    assert done.out.count(b"Received on") == 2


def test_repliers_share_a_queue_group(natsctl: Shell) -> None:
    for _ in range(2):
        natsctl.start("reply", "rep.queue", "one", until="Answering")
    done = natsctl("request", "rep.queue", "x", "--gather", "--idle", "500ms", "--raw")
    assert done.out == b"one\n"


def test_a_message_without_reply_subject_is_noted_and_passed_over(natsctl: Shell) -> None:
    reply = natsctl.start("reply", "rep.quiet", "yes", "--count", "1", until="Answering")
    natsctl("pub", "rep.quiet", "no reply subject")
    done = reply.finish()
    assert done.code == 0
    assert 'message on "rep.quiet" has no reply subject: not answered' in done.err


def test_ctrl_c_still_answers_what_is_at_hand(natsctl: Shell, tmp_path: Path) -> None:
    code = "import time; print('begun', file=__import__('sys').stderr, flush=True); time.sleep(0.7); print('done')"
    reply = natsctl.start("reply", "rep.drain", "--command", script(tmp_path, code), until="Answering")
    request = natsctl.start("request", "rep.drain", "x", "--raw")
    reply.wait_for("begun")
    reply.process.send_signal(signal.SIGINT)
    assert request.finish().out == b"done\n\n"
    assert reply.finish().code == 130


def test_a_second_ctrl_c_ends_it_and_its_commands(natsctl: Shell, tmp_path: Path) -> None:
    code = "import os, sys, time; print(os.getpid(), 'begun', file=sys.stderr, flush=True); time.sleep(1000)"
    reply = natsctl.start("reply", "rep.kill", "--command", script(tmp_path, code), until="Answering")
    natsctl.start("request", "rep.kill", "x")
    reply.wait_for("begun")
    reply.process.send_signal(signal.SIGINT)
    started = time.monotonic()
    time.sleep(0.2)  # two signals of one kind at once are one
    done = reply.finish(signal.SIGINT)
    assert done.code == 130
    assert time.monotonic() - started < PATIENCE_S / 4
    child = done.err.splitlines()[-1].split()[0]
    assert subprocess.run(["ps", "-o", "stat=", "-p", child], capture_output=True, text=True).stdout.strip() in (
        "",
        "Z",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("foo",),
        ("foo", "body", "--echo"),
        ("foo", "--command", "unbalanced '"),
        ("foo", "--command", ""),
        ("foo", "--echo", "-H", "a:b"),
        ("foo", "x", "--concurrency", "0"),
        ("foo", "x", "-H", "nocolon"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(natsctl: Shell, arguments: tuple[str, ...]) -> None:
    done = natsctl("reply", *arguments)
    assert (done.code, done.out) == (2, b"")
