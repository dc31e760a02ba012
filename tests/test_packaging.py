"""What is published fits together: metadata, changelog, README and the script that checks them all."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import natsctl
from natsctl.engine import describe

PROJECT = Path(__file__).parents[1]
METADATA = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
CI = (PROJECT / ".ci" / "run").read_text(encoding="utf-8")


def distribution(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower()


def readme_command(heading: str) -> str:
    found = re.search(rf"^## {heading}$.*?^```sh$\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert found, f"the README has no shell block below {heading!r}"
    return found[1]


def test_the_changelog_begins_with_the_version() -> None:
    newest = re.search(r"^## \[(.+?)\]", (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest
    assert newest[1] == natsctl.__version__


def test_every_library_that_is_imported_is_declared_and_the_other_way_round() -> None:
    imported = set()
    for path in (PROJECT / "natsctl").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            imported |= {name.partition(".")[0] for name in names}
    foreign = imported - {"natsctl", "", *sys.stdlib_module_names}
    owners = packages_distributions()
    needed = {owner.lower().replace("_", "-") for name in foreign for owner in owners.get(name, [name])}
    declared = {distribution(requirement) for requirement in METADATA["dependencies"]}
    assert needed - {"pytest"} == declared  # the pytest plugin is loaded by pytest only


def test_the_command_is_installed_as_natsctl() -> None:
    assert METADATA["scripts"] == {"natsctl": "natsctl.cli.main:main"}


def test_the_engine_is_the_one_this_machine_is_expected_to_build() -> None:
    # CI says which one; a native engine that silently was not built would leave every test to the pure one.
    assert describe() == os.environ.get("NATSCTL_EXPECT_ENGINE", describe())


def test_the_module_is_the_command() -> None:
    shown = subprocess.run([sys.executable, "-m", "natsctl", "--version"], capture_output=True, text=True, cwd=PROJECT)
    assert shown.stdout == f"natsctl {natsctl.__version__}\n"


def test_ci_runs_the_commands_of_the_readme_themselves() -> None:
    assert "natsctl demo" in readme_command("Try it")
    assert "pytest" in readme_command("Run the tests")
    assert "readme_command 'Try it'" in CI
    assert "readme_command 'Run the tests'" in CI
    assert "pytest" not in CI


@pytest.mark.parametrize("heading", ["Try it", "Run the tests"])
def test_ci_finds_the_commands_of_the_readme(heading: str) -> None:
    function = re.search(r"^readme_command\(\) \{.*?^\}", CI, re.MULTILINE | re.DOTALL)
    assert function
    program = f"{function[0]}\nreadme_command '{heading}'"
    shown = subprocess.run(["bash", "-c", program], capture_output=True, text=True, cwd=PROJECT, check=True)
    assert shown.stdout == readme_command(heading)


def test_the_script_of_ci_can_be_run() -> None:
    assert os.access(PROJECT / ".ci" / "run", os.X_OK)


def test_the_package_is_typed() -> None:
    assert (PROJECT / "natsctl" / "py.typed").exists()
