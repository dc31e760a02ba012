import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from natsctl.broker import signals
from natsctl.broker.signals import reload_server, send_signal
from natsctl.errors import ConfigError, ServerError

SLEEPER = "import signal; print('asleep', flush=True); signal.pause()"


@contextmanager
def asleep(*argv: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits for the first signal that ends it."""
    process = subprocess.Popen(argv, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"asleep\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def script(tmp_path: Path) -> str:
    """An entry script called natsctl."""
    path = tmp_path / "natsctl"
    path.write_text(f"#!{sys.executable}\n{SLEEPER}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory to be read in place of /proc: servers of others on this host must not get our signals."""
    path = tmp_path / "proc"
    path.mkdir()
    monkeypatch.setattr(signals, "PROC", path)
    return path


def show(processes: Path, *shown: subprocess.Popen[bytes]) -> None:
    """Let the real process be found."""
    for process in shown:
        (processes / str(process.pid)).symlink_to(f"/proc/{process.pid}")


def pretend(processes: Path, pid: int, *argv: str) -> None:
    (processes / str(pid)).mkdir()
    (processes / str(pid) / "cmdline").write_bytes(b"".join(os.fsencode(arg) + b"\0" for arg in argv))


@pytest.mark.parametrize(
    ("command", "number"),
    [
        ("stop", signal.SIGKILL),
        ("quit", signal.SIGINT),
        ("term", signal.SIGTERM),
        ("reopen", signal.SIGUSR1),
        ("reload", signal.SIGHUP),
        ("ldm", signal.SIGUSR2),
    ],
)
def test_each_command_has_its_signal(command: str, number: signal.Signals) -> None:
    sleeper = f"import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)\n{SLEEPER}"
    with asleep(sys.executable, "-c", sleeper) as process:
        send_signal(f"{command}={process.pid}")
        assert process.wait() == -number


def test_a_pid_file_may_stand_for_the_pid(tmp_path: Path) -> None:
    with asleep(sys.executable, "-c", SLEEPER) as process:
        (tmp_path / "nats.pid").write_text(f"{process.pid}\n")
        send_signal(f"term={tmp_path / 'nats.pid'}")
        assert process.wait() == -signal.SIGTERM


@pytest.mark.parametrize(
    "argv",
    [
        ["{script}", "server", "-p", "4222"],
        [sys.executable, "{script}", "server"],
        [sys.executable, "-X", "dev", "-I", "{script}", "server"],
    ],
)
def test_a_server_is_found_by_its_command_line(argv: list[str], script: str, processes: Path) -> None:
    with asleep(*(arg.format(script=script) for arg in argv)) as process:
        show(processes, process)
        send_signal("term")
        assert process.wait() == -signal.SIGTERM


def test_a_module_run_as_server_is_found(tmp_path: Path, processes: Path) -> None:
    (tmp_path / "natsctl.py").write_text(SLEEPER)
    code = (
        f"import os; os.chdir({str(tmp_path)!r}); os.execv({sys.executable!r}, ['python3', '-m', 'natsctl', 'server'])"
    )
    with asleep(sys.executable, "-c", code) as process:
        show(processes, process)
        send_signal("term")
        assert process.wait() == -signal.SIGTERM


def test_an_official_server_is_found(processes: Path) -> None:
    nats_server = shutil.which("nats-server") or "nats-server"
    process = subprocess.Popen([nats_server, "-a", "127.0.0.1", "-p", "-1"], stderr=subprocess.PIPE)
    assert process.stderr is not None
    for line in process.stderr:
        if b"Server is ready" in line:
            break
    show(processes, process)
    send_signal("stop")
    process.communicate()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    "argv",
    [
        ["/bin/natsctl", "sub", "server"],
        ["python3", "-c", "code", "natsctl", "server"],
        ["python3", "other.py", "natsctl", "server"],
        ["python3", "-m", "other", "natsctl", "server"],
        ["python3", "-m", "natsctl", "pub", "server"],
        ["python3", "-m"],
        ["python3"],
        ["python3", "-X"],
        ["sh", "-c", "natsctl server"],
        ["vi", "/etc/natsctl", "server"],
        ["nats-server.log"],
        [],
    ],
)
def test_other_processes_are_left_alone(argv: list[str], processes: Path) -> None:
    pretend(processes, 4_000_001, *argv)
    with pytest.raises(ServerError, match=r"^no natsctl server processes running$"):
        send_signal("reload")


def test_neither_init_nor_the_sender_is_signalled(processes: Path) -> None:
    for pid in (1, os.getpid()):
        pretend(processes, pid, "natsctl", "server")
    for spec in ("stop", "stop=*"):
        with pytest.raises(ServerError, match=r"^no natsctl server processes running$"):
            send_signal(spec)


def test_several_servers_are_listed_and_none_is_signalled(processes: Path) -> None:
    for pid in (4_000_012, 4_000_001):
        pretend(processes, pid, "natsctl", "server")
    with pytest.raises(ServerError) as caught:
        send_signal("stop")
    assert str(caught.value) == "multiple natsctl server processes running:\n4000001\n4000012"


def test_a_prefix_means_the_servers_whose_pid_begins_so(script: str, processes: Path) -> None:
    with asleep(script, "server") as meant, asleep(script, "server") as other:
        show(processes, meant, other)
        send_signal(f"term={meant.pid}*")
        assert meant.wait() == -signal.SIGTERM
        assert other.poll() is None


def test_an_asterisk_means_every_server(script: str, processes: Path) -> None:
    with asleep(script, "server") as first, asleep(script, "server") as second:
        show(processes, first, second)
        send_signal("term=*")
        assert (first.wait(), second.wait()) == (-signal.SIGTERM, -signal.SIGTERM)


def test_every_failure_is_told(processes: Path) -> None:
    for pid in (2_100_000_001, 2_100_000_002):
        pretend(processes, pid, "nats-server")
    with pytest.raises(ServerError) as caught:
        send_signal("ldm=21*")
    assert str(caught.value) == ('signal "ldm" 2100000001: no such process\nsignal "ldm" 2100000002: no such process')


def test_without_a_process_list_a_pid_must_be_given(processes: Path) -> None:
    processes.rmdir()
    with pytest.raises(ServerError, match=r"^unable to resolve pid, try providing one$"):
        send_signal("reload")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("bogus", 'unknown signal "bogus"'),
        ("", 'unknown signal ""'),
        ("reload=abc", "invalid pid: abc"),
        ("reload=0", "invalid pid: 0"),
        ("reload=1", "invalid pid: 1"),
        ("reload=-1", "invalid pid: -1"),
        ("reload=99999999999", "invalid pid: 99999999999"),
        ("reload=9999999999", "invalid pid: 9999999999"),
        ("reload=x*", "invalid pid: x"),
        ("reload=1=2=3", "invalid signal parameters: [2 3]"),
        ("reload=99999999", 'signal "reload" 99999999: no such process'),
    ],
)
def test_what_cannot_be_meant_is_refused(spec: str, message: str) -> None:
    with pytest.raises(ServerError) as caught:
        send_signal(spec)
    assert str(caught.value) == message


# ---- reload


@pytest.mark.parametrize("flags", [["-c", "{0}"], ["--config={0}"], ["-D", "-config", "{0}"], ["-c=nats.conf"]])
def test_a_reload_reaches_the_server_that_runs_with_the_file(
    flags: list[str], script: str, processes: Path, tmp_path: Path
) -> None:
    config = tmp_path / "nats.conf"
    config.write_text("debug: true")
    argv = [script, "server", *(flag.format(config) for flag in flags)]
    code = f"import os; os.chdir({str(tmp_path)!r}); os.execv({script!r}, {argv!r})"
    with asleep(sys.executable, "-c", code) as process, asleep(script, "server", "-c", "other.conf") as other:
        show(processes, process, other)
        assert reload_server(str(config)) == [process.pid]
        assert process.wait() == -signal.SIGHUP
        assert other.poll() is None


def test_a_reload_finds_the_pid_in_the_file_that_the_configuration_names(processes: Path, tmp_path: Path) -> None:
    with asleep(sys.executable, "-c", SLEEPER) as process:
        (tmp_path / "pid").write_text(str(process.pid))
        (tmp_path / "nats.conf").write_text(f"pid_file: '{tmp_path}/pid'")
        assert reload_server(str(tmp_path / "nats.conf")) == [process.pid]
        assert process.wait() == -signal.SIGHUP


@pytest.mark.parametrize("by_file", [True, False])
def test_a_reload_takes_a_pid_and_a_pid_file(by_file: bool, tmp_path: Path) -> None:
    with asleep(sys.executable, "-c", SLEEPER) as process:
        (tmp_path / "pid").write_text(str(process.pid))
        assert reload_server(str(tmp_path / "pid") if by_file else str(process.pid)) == [process.pid]
        assert process.wait() == -signal.SIGHUP


def test_a_configuration_that_cannot_be_used_is_not_even_tried(script: str, processes: Path, tmp_path: Path) -> None:
    config = tmp_path / "nats.conf"
    config.write_text("debug: [")
    with asleep(script, "server", "-c", str(config)) as process:
        show(processes, process)
        with pytest.raises(ConfigError, match="the file ends inside an array"):
            reload_server(str(config))
        assert process.poll() is None


def test_a_configuration_that_nobody_runs_with_is_named(processes: Path, tmp_path: Path) -> None:
    config = tmp_path / "nats.conf"
    config.write_text("debug: true")
    with pytest.raises(ServerError, match=f"no natsctl server runs with {config}"):
        reload_server(str(config))
