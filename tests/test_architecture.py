"""The house rules that no reviewer should have to check: who imports whom, and where each library lives."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "natsctl"

LAYERS = (
    ("cli",),
    ("tui",),
    ("testing",),
    ("ops",),
    ("bench",),
    ("broker",),
    ("monitoring",),
    ("pki",),
    ("config",),
    ("engine",),
    ("protocol",),
    ("units", "errors"),
)
"""Top down; a module imports only its own layer and those below it."""

RANK = {layer: rank for rank, layers in enumerate(LAYERS) for layer in layers}

APART = {("ops", "broker"), ("tui", "cli"), ("units", "errors"), ("errors", "units")}
"""Layers that never import each other, wherever they stand."""

HOMES = {
    "typer": ("cli",),
    "rich": ("cli", "tui"),
    "textual": ("tui",),
    "httpx": ("monitoring",),
    "cryptography": ("pki",),
    "nats": ("ops",),
    "nacl": ("broker", "bench"),
    "nkeys": ("ops",),
    "bcrypt": ("broker",),
    "hdrh": ("bench",),
    "uvloop": ("broker", "cli"),
    "uvicorn": ("broker",),
    "starlette": ("broker",),
    "h11": ("broker",),
    "psutil": ("broker",),
    "prometheus_client": ("broker", "cli"),
}
"""Library to the layers that may import it."""

MODULES = sorted(PACKAGE.rglob("*.py"))
CLICK = {"click", "typer._click"}
"""Typer's inner works, which move between its versions."""


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path): path for path in MODULES}


def layer_of(module: str) -> str | None:
    """The layer of a module; None for the package itself, its entry point, and everything foreign."""
    parts = module.split(".")
    return parts[1] if parts[0] == "natsctl" and len(parts) > 1 and parts[1] != "__main__" else None


def imports_of(path: Path) -> Iterator[str]:
    """Every module a file imports, also in functions and under TYPE_CHECKING."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by full name"
            assert node.module
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"  # "from natsctl import engine" names a module
                yield inner if inner in NAMES else node.module


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_down_the_layers_only(path: Path) -> None:
    own = layer_of(name_of(path))
    if own is None:
        return
    assert own in RANK, f"{own} has no place among the layers"
    for module in imports_of(path):
        other = layer_of(module)
        if other and other != own:
            assert RANK[own] < RANK[other], f"{own} imports {module}, which is above it"
            assert (own, other) not in APART, f"{own} imports {module}; they meet in cli, testing and tests"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_each_library_stays_in_its_place(path: Path) -> None:
    for module in imports_of(path):
        assert not any(module == inner or module.startswith(f"{inner}.") for inner in CLICK), f"imports {module}"
        library = module.partition(".")[0]
        if library in HOMES:
            assert layer_of(name_of(path)) in HOMES[library], f"imports {library}, whose place is {HOMES[library]}"


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {name: {module for module in imports_of(path) if module in NAMES} for name, path in NAMES.items()}
    graph["natsctl"] = set()  # its public names are resolved on first use, not when it is imported
    settled: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail[trail.index(name) :], name))
        if name not in settled:
            for other in sorted(graph[name]):
                visit(other, (*trail, name))
            settled.add(name)

    for name in sorted(graph):
        visit(name, ())


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), "has no docstring"


def test_importing_the_package_is_cheap() -> None:
    program = "import sys; before = set(sys.modules); import natsctl; print(*sorted(set(sys.modules) - before))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert {name.partition(".")[0] for name in found} <= {"natsctl", *sys.stdlib_module_names}
    assert [name for name in found if name.startswith("natsctl")] == ["natsctl"]
