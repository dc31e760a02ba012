"""Every generated file of the project, and how it differs from what is checked in."""

from __future__ import annotations

from pathlib import Path

from natsctl.cli.docs.completions import SCRIPTS
from natsctl.cli.docs.man import render_man
from natsctl.cli.docs.pages import Page, read_tree

__all__ = ["differences", "render_all"]


def render_all() -> dict[str, str]:
    """Render every generated file: path below the project's folder to its text."""
    root = read_tree()
    files = {f"completions/{name}": write(root) for name, write in SCRIPTS.items()}
    for page, parent in _with_parents(root, None):
        files[f"man/{'-'.join(page.path)}.1"] = render_man(page, parent)
    return files


def differences(folder: Path) -> list[str]:
    """Name the files that are missing, out of date, or left over from a command that is gone."""
    wanted = render_all()
    found = {str(path.relative_to(folder)) for name in ("completions", "man") for path in (folder / name).iterdir()}
    changed = {name for name in found & wanted.keys() if (folder / name).read_text(encoding="utf-8") != wanted[name]}
    return sorted(changed | (found ^ wanted.keys()))


def _with_parents(page: Page, parent: Page | None) -> list[tuple[Page, Page | None]]:
    return [(page, parent), *(pair for child in page.children for pair in _with_parents(child, page))]
