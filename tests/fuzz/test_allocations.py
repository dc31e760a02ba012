"""The native engine without memory: MemoryError comes out, one session is lost, and everything else goes on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_SHIM = Path(__file__).with_name("failing_malloc.c")
_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What went wrong when each allocation failed alone, and when many failed in a row."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler for the allocator that fails")
    shim = tmp_path_factory.mktemp("shim") / "failing_malloc.so"
    subprocess.run([compiler, "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", shim, _SHIM, "-ldl"], check=True)
    environment = os.environ | {
        "LD_PRELOAD": f"{shim} {os.environ.get('LD_PRELOAD', '')}",
        "ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0",
        "PYTHONMALLOC": "malloc",  # else small objects come from arenas, and no allocation of theirs would fail
    }
    command = [sys.executable, "-m", "tests.fuzz.allocations"]
    run = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, timeout=250)
    assert run.returncode == 0, f"exit {run.returncode}\n{run.stderr[-5000:]}"
    found: list[dict[str, Any]] = json.loads(run.stdout)
    return found


def problems(reports: list[dict[str, Any]], kind: str) -> str:
    return "\n".join(problem for report in reports for problem in report["found"][kind])


@pytest.mark.timeout(300)
def test_every_allocation_of_a_session_was_made_to_fail(reports: list[dict[str, Any]]) -> None:
    assert [report["allocations"] > 1000 for report in reports] == [True, True]


def test_nothing_but_memory_error_comes_out(reports: list[dict[str, Any]]) -> None:
    assert problems(reports, "surprises") == ""


def test_a_broken_session_leaves_no_subscription_behind(reports: list[dict[str, Any]]) -> None:
    assert problems(reports, "counts") == ""


def test_who_stays_open_gets_everything_that_others_sent(reports: list[dict[str, Any]]) -> None:
    assert problems(reports, "output") == ""


def test_the_engine_goes_on(reports: list[dict[str, Any]]) -> None:
    assert problems(reports, "future") == ""
