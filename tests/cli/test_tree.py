from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Annotated

import pytest
import typer

from natsctl import __version__
from natsctl.cli import main, tree
from natsctl.errors import AuthError, ConfigError, LinkError, NatsctlError, NoResponders, Problem, RequestTimeout

Install = Callable[[Callable[..., None]], None]


def natsctl(*args: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"COLUMNS": "80"}
    return subprocess.run([sys.executable, "-m", "natsctl", *args], capture_output=True, text=True, env=environ)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Make a function the command ``natsctl probe``."""

    def install(function: Callable[..., None]) -> None:
        module = ModuleType("natsctl.cli.probe")
        app = typer.Typer(add_completion=False)
        app.command("probe")(function)
        module.app = app  # type: ignore[attr-defined]  # what every command's module has
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(main.COMMANDS, "probe", "Probe the tree.")

    return install


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        tree.run(list(args))
    assert isinstance(exit_.value.code, int)
    return exit_.value.code


def test_help_lists_every_command_and_imports_none() -> None:
    program = "import sys; from natsctl.cli import tree\ntry: tree.run(['--help'])\nfinally: print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout
    for name, summary in main.COMMANDS.items():
        assert f"  {name} " in shown
        assert summary in shown
        assert f"natsctl.cli.{name} " not in shown


def test_without_arguments_the_help_is_shown() -> None:
    assert natsctl().stdout == natsctl("--help").stdout != ""


@pytest.mark.parametrize("command", ["check cert", "check slow-consumers", "certs cluster", "bench", "sub"])
def test_help_names_values_as_operators_do_and_no_type_of_python(command: str) -> None:
    shown = natsctl(*command.split(), "--help").stdout
    assert not re.search(r"<(list|int|float|str|path)\b", shown)


def test_help_in_a_pipe_has_no_escape_codes_and_keeps_to_the_width() -> None:
    shown = natsctl("version", "--help")
    assert shown.returncode == 0
    assert "\x1b" not in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80


@pytest.mark.parametrize("flag", ["--version", "-v"])
def test_the_version_is_one_line(flag: str) -> None:
    shown = natsctl(flag)
    assert (shown.stdout, shown.stderr, shown.returncode) == (f"natsctl {__version__}\n", "", 0)


def test_an_unknown_command_names_the_nearest_one() -> None:
    shown = natsctl("serve")
    assert shown.returncode == 2
    assert shown.stdout == ""
    assert shown.stderr.startswith("natsctl: no such command 'serve'. Did you mean 'server'?")


def test_an_unknown_option_names_itself_and_the_nearest_one() -> None:
    shown = natsctl("version", "--jsn")
    assert shown.returncode == 2
    assert "--jsn" in shown.stderr
    assert "--json" in shown.stderr
    assert "usage: natsctl version" in shown.stderr
    assert "'natsctl version --help'" in shown.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NatsctlError("it is so"), 1),
        (AuthError("authorization violation"), 5),
        (LinkError("connection refused"), 6),
        (NoResponders("time.now"), 7),
        (RequestTimeout("time.now", 2.0), 8),
        (ConfigError([Problem("unknown key", "a.conf", 2, 3)]), 1),
    ],
)
def test_an_error_becomes_one_line_and_its_exit_code(
    error: NatsctlError, code: int, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    def probe() -> None:
        raise error

    install(probe)
    assert run("probe") == code
    assert capsys.readouterr() == ("", f"natsctl: {error}\n")


def test_a_hint_follows_its_error(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    def probe() -> None:
        raise LinkError("connection refused", hint="start a server first")

    install(probe)
    run("probe")
    assert capsys.readouterr().err == "natsctl: connection refused\nhint: start a server first\n"


def test_a_bad_parameter_is_a_usage_error(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    def probe(count: Annotated[int, typer.Option()] = 1) -> None:
        raise AssertionError("the command must not run")

    install(probe)
    assert run("probe", "--count", "many") == 2
    assert "--count" in capsys.readouterr().err


def test_a_bug_is_one_line_that_says_how_to_see_more(
    install: Install, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def probe() -> None:
        raise KeyError("sid")

    install(probe)
    monkeypatch.delenv("NATSCTL_TRACEBACK", raising=False)
    assert run("probe") == 1
    said = capsys.readouterr().err
    assert said.startswith("natsctl: internal error: KeyError: 'sid'\n")
    assert "NATSCTL_TRACEBACK=1" in said
    assert "Traceback" not in said
    monkeypatch.setenv("NATSCTL_TRACEBACK", "1")
    with pytest.raises(KeyError):
        tree.run(["probe"])


def test_ctrl_c_ends_quietly(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    def probe() -> None:
        signal.raise_signal(signal.SIGINT)

    install(probe)
    assert run("probe") == 130
    assert capsys.readouterr() == ("", "")


def test_an_exit_code_chosen_by_a_command_is_kept(install: Install) -> None:
    def probe() -> None:
        raise typer.Exit(9)

    install(probe)
    assert run("probe") == 9


def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run([sys.executable, "-m", "natsctl", "version"], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full, which Linux has")
def test_a_full_disk_is_an_error_not_a_success() -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run([sys.executable, "-m", "natsctl", "version"], stdout=full, stderr=subprocess.PIPE)
    assert ended.returncode == 1
    assert ended.stderr.startswith(b"natsctl: no space left on device")


def test_version_as_json_names_every_part() -> None:

    versions = json.loads(natsctl("version", "--json").stdout)
    assert versions["natsctl"] == __version__
    assert versions["protocol"] == "2.15.1"
    assert versions["engine"] in ("pure", "native")
    assert versions["python"].endswith(".".join(map(str, sys.version_info[:3])))
    assert versions["libraries"]["nats-py"]


def test_a_reader_that_goes_away_before_an_error_is_met_quietly_too() -> None:
    program = (
        "import sys, types, typer\n"
        "from natsctl.cli import main, tree\n"
        "from natsctl.errors import LinkError\n"
        "def probe():\n"
        "    print('data')\n"
        "    raise LinkError('connection lost')\n"
        "module = types.ModuleType('natsctl.cli.probe')\n"
        "module.app = typer.Typer(add_completion=False)\n"
        "module.app.command('probe')(probe)\n"
        "sys.modules[module.__name__] = module\n"
        "main.COMMANDS['probe'] = 'Probe the tree.'\n"
        "tree.run(['probe'])\n"
    )
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run([sys.executable, "-c", program], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, b"")
