"""``python -m natsctl.cli.docs``: write man pages and completions, or check that those written are current."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from natsctl.cli.docs.files import differences, render_all

__all__ = ["main"]


def main(
    write: Annotated[bool, typer.Option("--write/--check", help="Write the files, or only compare them.")] = False,
    folder: Annotated[Path, typer.Argument(help="The project's folder.")] = Path(),
) -> None:
    """Write man pages and completions from the command tree, or check that those written are current."""
    stale = differences(folder)
    if write:
        wanted = render_all()
        for name in stale:
            if name in wanted:
                (folder / name).write_text(wanted[name], encoding="utf-8")
            else:
                (folder / name).unlink()
    elif stale:
        print(f"out of date: {', '.join(stale)}; python -m natsctl.cli.docs --write renews them", file=sys.stderr)
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
