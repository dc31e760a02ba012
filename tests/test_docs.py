"""Man pages, completions and README say what the program does; the shells themselves try the completions."""

from __future__ import annotations

import os
import pty
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from natsctl.cli.docs.examples import EXAMPLES
from natsctl.cli.docs.exits import exit_codes
from natsctl.cli.docs.files import differences
from natsctl.cli.docs.pages import Page, read_tree
from natsctl.cli.tree import build

PROJECT = Path(__file__).parents[1]
PAGES = list(read_tree().walk())
MAN_PAGES = sorted((PROJECT / "man").iterdir())
HEADINGS = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "EXAMPLES", "SEE ALSO"]

LINES = {
    "natsctl s": {"server", "sub", "subsz"},
    "natsctl server --po": {"--port", "--ports_file_dir"},
    "natsctl server -po": {"-port", "-ports_file_dir"},
    "natsctl server -DV -log": {"-log", "-logtime", "-logtime_utc", "-log_size_limit"},
    "natsctl version --j": {"--json"},
    "natsctl context s": {"select", "show"},
    "natsctl server -c na": {"nats.conf", "nats/"},
    "natsctl server --config=na": {"nats.conf", "nats/"},
    "natsctl server --ports_file_dir na": {"nats/"},
    "natsctl server -p ": set(),
}
"""A line with the cursor at its end, and what a TAB offers there."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with something to complete."""
    (tmp_path / "nats.conf").touch()
    (tmp_path / "nats").mkdir()
    return tmp_path


def shell(name: str) -> str:
    found = shutil.which(name)
    if not found:
        pytest.skip(f"needs {name}: apt-get install {name}")
    return found


def test_man_pages_and_completions_are_those_of_the_command_tree() -> None:
    assert differences(PROJECT) == [], "python -m natsctl.cli.docs --write renews them"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.command)
def test_every_command_has_help_for_itself_and_each_option(page: Page) -> None:
    assert page.summary.endswith(".")
    assert page.description
    for option in page.options:
        assert option.summary, option.names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.command)
def test_the_examples_of_a_command_are_lines_it_accepts(page: Page) -> None:
    assert page.command in EXAMPLES
    for line in (line for _, lines in EXAMPLES[page.command] for line in lines.splitlines()):
        program, *args = shlex.split(line)
        assert program == "natsctl"
        accept(build(), program, args)


def accept(command: Any, name: str, args: list[str], parent: Any = None) -> None:
    """Read a command line down to its last command without running it."""
    context = command.make_context(name, list(args), parent=parent)
    if hasattr(command, "resolve_command"):
        rest = [*getattr(context, "_protected_args", []), *context.args]
        child_name, child, child_args = command.resolve_command(context, rest)
        child = child.load() if hasattr(child, "load") else child
        accept(child, child_name, child_args, context)


def test_there_is_no_example_without_its_command() -> None:
    assert EXAMPLES.keys() <= {page.command for page in PAGES}


@pytest.mark.parametrize("path", MAN_PAGES, ids=lambda path: path.name)
def test_a_man_page_has_its_sections_and_no_warning(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    sections = [line.removeprefix(".SH ") for line in text.splitlines() if line.startswith(".SH ")]
    assert [section for section in sections if section in HEADINGS] == HEADINGS
    environ = os.environ | {"LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MAN_KEEP_FORMATTING": ""}
    shown = subprocess.run([shell("man"), "--warnings", "-l", str(path)], capture_output=True, text=True, env=environ)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert path.stem.upper() in shown.stdout


def test_the_readme_lists_every_exit_code() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+?) \|$", (PROJECT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {int(code): meaning for code, meaning in rows} == exit_codes()


def test_the_page_of_a_check_has_the_exit_codes_of_monitoring_systems() -> None:
    text = (PROJECT / "man" / "natsctl-check-cluster.1").read_text(encoding="utf-8")
    section = text.partition(".SH EXIT STATUS")[2].partition(".SH ")[0]
    codes = dict(re.findall(r"\\fB(\d+)\\fR\n(\w+)", section))
    assert codes == {"0": "OK", "1": "WARNING", "2": "CRITICAL", "3": "UNKNOWN"} | {
        code: word for code, word in codes.items() if int(code) > 128
    }


@pytest.mark.parametrize("line", LINES)
def test_bash_completes(line: str, folder: Path) -> None:
    program = """
        source "$1"
        read -ra COMP_WORDS <<< "$2"
        [[ $2 == *' ' ]] && COMP_WORDS+=('')
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _natsctl
        for word in "${COMPREPLY[@]}"; do [[ -d $word ]] && word+=/; echo "$word"; done
    """
    words = line.replace("=", " = ")  # bash breaks words at "="
    script = PROJECT / "completions" / "natsctl.bash"
    command = [shell("bash"), "--norc", "-c", program, "bash", str(script), words]
    offered = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=20)
    assert set(offered.stdout.split()) == LINES[line]


@pytest.mark.parametrize("line", LINES)
def test_fish_completes(line: str, folder: Path) -> None:
    program = "source $argv[1]; complete -C $argv[2]"
    script = PROJECT / "completions" / "natsctl.fish"
    command = [shell("fish"), "--no-config", "-c", program, str(script), line]
    environ = os.environ | {"HOME": str(folder / "nats")}
    offered = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environ, timeout=20)
    assert offered.stderr == ""
    words = {row.split("\t")[0] for row in offered.stdout.splitlines()}
    assert {word.rpartition("=")[2] for word in words} == LINES[line]


ZSHRC = """
fpath=($PROBE_SCRIPTS $fpath)
autoload -Uz compinit && compinit -u -D
compadd() {
    local -a hits
    builtin compadd -O hits "$@"
    print -rl -- $hits >> $PROBE_RESULT
    builtin compadd "$@"
}
probe() {
    BUFFER=$PROBE_LINE CURSOR=$#PROBE_LINE
    zle list-choices
    exit
}
zle -N zle-line-init probe
"""
"""Completes one line at the first prompt, writes down what was offered, and ends."""


@pytest.mark.parametrize("line", LINES)
def test_zsh_completes(line: str, folder: Path) -> None:
    home, result = folder / ".zsh", folder / ".result"
    home.mkdir()
    result.touch()
    (home / ".zshrc").write_text(ZSHRC)
    environ = os.environ | {"ZDOTDIR": str(home), "PROBE_SCRIPTS": str(PROJECT / "completions"), "TERM": "xterm"}
    environ |= {"PROBE_RESULT": str(result), "PROBE_LINE": line}
    terminal, inside = pty.openpty()
    try:
        subprocess.run(
            [shell("zsh"), "-i"], stdin=inside, stdout=inside, stderr=inside, cwd=folder, env=environ, timeout=20
        )
    finally:
        os.close(terminal)
        os.close(inside)
    offered = {f"{word}/" if (folder / word).is_dir() else word for word in result.read_text().split()}
    assert offered == LINES[line]


def test_the_powershell_script_knows_every_command() -> None:
    script = (PROJECT / "completions" / "natsctl.ps1").read_text(encoding="utf-8")
    assert re.findall(r"^        '(.+)' = @\($", script, re.MULTILINE) == [page.command for page in PAGES]
