"""The tour runs, tells what it measured, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from natsctl import Broker
from natsctl.cli import demo as command
from natsctl.cli.tree import build, run
from natsctl.errors import NatsctlError, NoResponders
from natsctl.ops import demo
from natsctl.ops.connection import connect
from natsctl.ops.receive import receiving
from natsctl.ops.settings import Settings

DEMO = [sys.executable, "-m", "natsctl", "demo"]
SCENES = ["publish and subscribe", "headers", "queue group", "request and reply", "no responders", "gather"]


def take(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DEMO, *args],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=30,
        env=os.environ | {"FORCE_COLOR": ""} | environment,
    )


def test_the_page_is_plain_text_in_a_pipe_and_ends_with_what_to_type() -> None:
    shown = take()
    assert (shown.returncode, shown.stderr) == (0, "")
    assert [line[3:].lower() for line in shown.stdout.splitlines() if re.match(r"\d\. ", line)] == SCENES
    assert "\x1b" not in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert len(shown.stdout.splitlines()) <= 70
    assert "natsctl server" in shown.stdout


def test_every_command_on_the_page_is_one_that_natsctl_accepts() -> None:
    lines = re.findall(r"^ +(?:\$ )?(natsctl .+?)(?:   .*)?$", take().stdout, re.MULTILINE)
    assert len(lines) >= len(SCENES) + 5
    for line in lines:
        program, name, *args = shlex.split(line)
        if name != "--help":
            branch: Any = build().commands[name]
            branch.load().make_context(f"{program} {name}", args)


def test_on_a_terminal_the_page_is_framed() -> None:
    terminal, inside = pty.openpty()
    with subprocess.Popen(DEMO, stdout=inside, stderr=inside, env=os.environ | {"TERM": "xterm"}) as process:
        os.close(inside)
        shown = b""
        with os.fdopen(terminal, "rb", buffering=0) as reader:
            try:
                while chunk := reader.read(65536):
                    shown += chunk
            except OSError:  # how Linux says that the other side is closed
                pass
    assert process.returncode == 0
    assert "╭─".encode() in shown
    assert b"\x1b[" in shown


def test_a_terminal_without_unicode_gets_ascii() -> None:
    shown = take(PYTHONIOENCODING="ascii")
    assert shown.returncode == 0
    assert shown.stdout.isascii()
    assert "####" in shown.stdout


def test_json_tells_what_was_measured() -> None:
    shown = take("--json")
    assert (shown.returncode, shown.stderr) == (0, "")
    document = json.loads(shown.stdout)
    scenes = {scene.pop("scene"): scene for scene in document["scenes"]}
    assert list(scenes) == SCENES
    assert scenes["publish and subscribe"]["received"]["orders.*.new"] == ["orders.eu.new", "orders.us.new"]
    assert scenes["headers"]["headers"] == {"Priority": ["high"], "Packed-By": ["north", "harbour"]}
    shared = scenes["queue group"]
    assert sum(shared["received"]) == shared["published"]
    assert 0 < scenes["request and reply"]["answer"]["rtt_s"] < document["duration_s"]
    assert 0 < scenes["no responders"]["wait_s"] < scenes["no responders"]["timeout_s"]
    assert len(scenes["gather"]["answers"]) == 3
    sent = 3 + 1 + shared["published"] + 2 + 1 + 4
    assert document["broker"]["in_msgs"] == sent


def test_a_reader_who_is_gone_ends_it() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        shown = subprocess.run(DEMO, stdout=writer, stderr=subprocess.PIPE, timeout=30)
    finally:
        os.close(writer)
    assert (shown.returncode, shown.stderr) == (141, b"")


ENDLESS = """
import asyncio
from natsctl.cli.tree import run
from natsctl.ops import demo

async def wait(settings):
    async with demo.connect(settings):
        print("connected", flush=True)
        await asyncio.Event().wait()

demo._SCENES["headers"] = wait
run(["demo"])
"""


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_quietly(sent: signal.Signals, code: int) -> None:
    with subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        while b"connected" not in (line := process.stdout.readline()):
            assert line, process.stderr.read()
        process.send_signal(sent)
        assert (process.wait(timeout=30), process.stderr.read()) == (code, b"")


async def test_a_tour_names_the_scene_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_settings: Settings) -> demo.Scene:
        raise NoResponders("price")

    monkeypatch.setitem(demo._SCENES, "request and reply", fail)
    seen = []
    async with Broker() as broker:
        with pytest.raises(NatsctlError, match='"request and reply" failed: no responders for "price"') as raised:
            async for name, _ in demo.take_tour(Settings(servers=(broker.url,))):
                seen.append(name)
    assert seen == SCENES[:3]
    assert raised.value.exit_code == 1


async def test_a_tour_on_a_server_with_guests_finds_that_out() -> None:
    async with Broker() as broker:
        settings = Settings(servers=(broker.url,))
        async with connect(settings) as guest, receiving(guest, ["orders.pack"], queue="packers"):
            with pytest.raises(NatsctlError, match='"queue group" failed: messages of all members: expected 300 items'):
                async for _ in demo.take_tour(settings):
                    pass


@pytest.mark.parametrize("args", [[], ["--json"]])
def test_a_failure_ends_with_exit_code_1(
    args: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(_settings: Settings) -> AsyncIterator[tuple[str, demo.Scene]]:
        raise NatsctlError('"gather" failed: 2 of 3 expected replies on "stock"')
        yield

    monkeypatch.setattr(command, "take_tour", fail)
    with pytest.raises(SystemExit) as ended:
        run(["demo", *args])
    assert ended.value.code == 1
    assert capsys.readouterr().err == 'natsctl: "gather" failed: 2 of 3 expected replies on "stock"\n'


def test_a_broker_that_cannot_start_is_told() -> None:
    shown = take(NATSCTL_ENGINE="steam")
    assert shown.returncode == 1
    assert shown.stderr.startswith('natsctl: the broker cannot start: NATSCTL_ENGINE is "steam"\n')
