"""``natsctl server reload``, and a process told by signals."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path

from tests.support.process import NATSCTL, ServerProcess, running_server
from tests.support.wire import PATIENCE_S, WireClient


def reload(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*NATSCTL, "reload", *args], capture_output=True, text=True, timeout=30)


def wait_for(server: ServerProcess, pattern: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not re.search(pattern, server.log()):
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.01)  # no event tells of it


def change(directory: Path, config: str) -> None:
    file = directory / "nats.conf"
    head = "\n".join(file.read_text().splitlines()[:2])
    file.write_text(f"{head}\n{config}")


def test_a_server_is_told_by_its_configuration_file(tmp_path: Path) -> None:
    with running_server(NATSCTL, tmp_path) as server:
        change(tmp_path, "max_payload: 512")
        told = reload(str(tmp_path / "nats.conf"))
        said = f"server {server.process.pid} was told to reload; its log says what has changed\n"
        assert (told.returncode, told.stdout, told.stderr) == (0, said, "")
        wait_for(server, "Reloaded: max_payload = 512\n(.*\n)*.*Reloaded server configuration")


def test_what_is_wrong_with_the_file_is_said_at_once(tmp_path: Path) -> None:
    with running_server(NATSCTL, tmp_path) as server:
        change(tmp_path, "max_payload: much")
        told = reload(str(tmp_path / "nats.conf"))
        assert told.returncode == 1
        assert "max_payload must be an integer" in told.stderr
        assert "hangup" not in server.log()


def test_more_than_one_target_is_refused() -> None:
    told = reload("1", "2")
    assert (told.returncode, told.stderr) == (1, 'natsctl server: unrecognized command: "reload"\n')


def test_the_log_the_pid_file_and_the_ports_file_move(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with running_server(NATSCTL, tmp_path, f"log_file: '{tmp_path}/first.log'") as server:
        change(tmp_path, f"log_file: '{elsewhere}/log'\npid_file: '{elsewhere}/pid'\nports_file_dir: '{elsewhere}'")
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + PATIENCE_S
        while not (elsewhere / "log").exists() or "Reloaded server conf" not in (elsewhere / "log").read_text():
            assert time.monotonic() < deadline, (tmp_path / "first.log").read_text()
            time.sleep(0.01)  # no event tells of it
        assert "Reloaded: log_file = " in (tmp_path / "first.log").read_text()
        assert (elsewhere / "pid").read_text() == str(server.process.pid)
        assert [path.name for path in elsewhere.glob("*.ports")] == [f"natsctl_{server.process.pid}.ports"]
        assert list(tmp_path.glob("*.ports")) == []
    assert list(elsewhere.glob("*.ports")) == [], "left behind"


async def test_a_hundred_hangups_leave_nothing_behind(tmp_path: Path) -> None:
    def held() -> tuple[int, int]:
        process = Path(f"/proc/{server.process.pid}")
        return len(list((process / "fd").iterdir())), len(list((process / "task").iterdir()))

    def reload_and_wait(number: int) -> None:
        change(tmp_path, f"max_payload: {1000 + number}")
        server.process.send_signal(signal.SIGHUP)
        wait_for(server, f"max_payload = {1000 + number}\n(.*\n)*.*Reloaded server configuration")

    with running_server(NATSCTL, tmp_path) as server:
        async with await WireClient.open(server.port, protocol=0) as client:
            for number in range(20):
                reload_and_wait(number)
            before, memory = held(), server.memory_bytes()
            for number in range(20, 120):
                reload_and_wait(number)
            assert await client.sync() == []
            assert held() == before
            assert server.memory_bytes() < memory + 2_000_000
