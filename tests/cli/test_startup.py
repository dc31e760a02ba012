"""A command that starts often must start fast: it imports only what it uses."""

from __future__ import annotations

import subprocess
import sys

import pytest

PUBLISH = ("pub", "-s", "nats://127.0.0.1:1", "greetings", "hello")
"""Goes all the way to a connection, which nobody answers."""
HEAVY = {"textual", "httpx", "cryptography"}


def modules_after(*args: str) -> set[str]:
    """Run a command line and give the top-level packages that were imported for it."""
    program = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr))\n"
        f"sys.argv = ['natsctl', *{args!r}]\n"
        "from natsctl.cli.main import main\n"
        "main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    return set(ended.stderr.splitlines()[-1].split())


def test_the_version_imports_nothing_but_the_standard_library() -> None:
    assert modules_after("--version") <= {
        "natsctl",
        "__main__",
        *sys.stdlib_module_names,
        *modules_of_the_interpreter(),
    }


def modules_of_the_interpreter() -> set[str]:
    """What is there before the first line runs, as hooks of an editable installation."""
    shown = subprocess.run([sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True)
    return {name.partition(".")[0] for name in shown.stdout.split()}


@pytest.mark.parametrize(
    "args",
    [
        ("--help",),
        ("pub", "--help"),
        ("pub", "-s", "nats://127.0.0.1:1", "greetings", "hello"),
        ("server", "--version"),
    ],
    ids=" ".join,
)
def test_frequent_commands_import_no_heavy_library(args: tuple[str, ...]) -> None:
    assert modules_after(*args) & HEAVY == set()


def test_pub_does_not_import_what_only_tables_need() -> None:
    assert "rich" not in modules_after(*PUBLISH)


def test_the_messaging_commands_do_not_import_the_broker() -> None:
    program = "import sys, natsctl.cli.pub; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert shown.returncode == 0, shown.stderr
    assert not [name for name in shown.stdout.split() if name.startswith("natsctl.broker")]
