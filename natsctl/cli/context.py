"""``natsctl context``: manage the connection contexts shared with the ``nats`` CLI."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from natsctl.cli.connect_options import takes_given_settings
from natsctl.cli.output import note, printable, show_table
from natsctl.errors import UsageError
from natsctl.ops.contexts import SECRET_KEYS, ContextStore, context_values
from natsctl.ops.settings import Settings, split_servers

__all__ = ["app"]

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Manage connection contexts.")

MASK = "********"
"""Stands for a secret of any length."""

Name = Annotated[str, typer.Argument(help="Name of the context.", metavar="NAME")]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document.")]


@app.command("ls")
def ls(as_json: AsJson = False) -> None:
    """List the contexts; the selected one is marked."""
    store = ContextStore()
    selected = store.selected()
    rows = []
    for name in store.names():
        values = _masked(store.load(name))
        rows.append(
            {
                "name": name,
                "selected": name == selected,
                "url": values.get("url", ""),
                "description": values.get("description", ""),
            }
        )
    if as_json:
        print(json.dumps(rows, indent=2))
    elif rows:
        _show_rows(rows)
    else:
        note("there are no contexts; 'natsctl context add' makes one")


@app.command("show")
def show(
    name: Annotated[str | None, typer.Argument(help="Context; the selected one without.", metavar="NAME")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a context; secrets are masked."""
    store = ContextStore()
    chosen = name or store.selected()
    if not chosen:
        raise UsageError("no context is selected; name one")
    values = _masked(store.load(chosen))
    if as_json:
        print(json.dumps({"name": chosen, **values}, indent=2))
        return
    print(f"{'name:':<18}{chosen}")
    for key, value in values.items():
        if value:
            print(f"{key + ':':<18}{printable(str(value))}")


@app.command("add")
@takes_given_settings
def add(
    settings: Settings,
    name: Name,
    description: Annotated[str, typer.Option("--description", help="What this context is for.", metavar="TEXT")] = "",
    select_it: Annotated[bool, typer.Option("--select", help="Select it as well.")] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace a context of this name.")] = False,
) -> None:
    """Keep the connection options given here under a name."""
    if settings.timeout_s is not None or settings.connection_name is not None:
        raise UsageError("a context keeps neither --timeout nor --connection-name")
    store = ContextStore()
    if name in store.names() and not force:
        raise UsageError(f'context "{name}" is there already', hint="--force replaces it")
    path = store.save(name, context_values(settings) | {"description": description})
    note(f"wrote {path}")
    if select_it:
        store.select(name)


@app.command("select")
def select(name: Name) -> None:
    """Use a context whenever none is named."""
    ContextStore().select(name)


@app.command("unselect")
def unselect() -> None:
    """Use no context unless one is named."""
    ContextStore().unselect()


@app.command("rm")
def rm(
    name: Name,
    force: Annotated[bool, typer.Option("--force", "-f", help="Do not ask.")] = False,
) -> None:
    """Delete a context."""
    store = ContextStore()
    store.load(name)
    if not force:
        if not sys.stdin.isatty():
            raise UsageError("without a terminal to ask on, rm needs --force")
        typer.confirm(f'Delete context "{name}"?', abort=True, err=True)
    store.remove(name)


def _masked(values: dict[str, Any]) -> dict[str, Any]:
    """Hide secrets: their keys' values, those that other keys hold in place of a path, those in the URL."""
    shown = {key: MASK if key in SECRET_KEYS and value else value for key, value in values.items()}
    if "-----BEGIN" in str(values.get("creds", "")):
        shown["creds"] = MASK
    if str(values.get("nkey", "")).startswith("S"):
        shown["nkey"] = MASK
    if values.get("url"):
        shown["url"] = _without_login(str(values["url"]))
    return shown


def _without_login(url: str) -> str:
    try:
        found = split_servers([url])
    except UsageError:
        return MASK if "@" in url else url
    servers = ",".join(found.servers or ())
    return servers.replace("://", f"://{MASK}@") if found.user else servers


def _show_rows(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for title in ("", "Name", "URL", "Description"):
        table.add_column(title, overflow="fold")
    for row in rows:
        texts = (row["name"], str(row["url"]), str(row["description"]))
        table.add_row("*" if row["selected"] else "", *(Text(printable(text)) for text in texts))
    show_table(table)
