"""``natsctl certs ls``, ``info``, ``verify`` and ``expiry``: what there is, whether it works, and for how long."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from natsctl.cli.certs.make import lifetime
from natsctl.cli.output import printable, show_table
from natsctl.errors import CertificateError, UsageError
from natsctl.ops.certs_check import Ending, Question, Verdict, check, endings
from natsctl.ops.certs_inventory import find
from natsctl.ops.probe import Address
from natsctl.pki.certificates import Description
from natsctl.pki.lifetimes import format_lifetime
from natsctl.pki.verify import PURPOSES

__all__ = ["app"]

app = typer.Typer(add_completion=False)

_SOON = timedelta(days=30)

Paths = Annotated[
    list[Path] | None,
    typer.Argument(help="Files, directories or configurations; this directory without.", metavar="PATH"),
]
Places = Annotated[
    list[str] | None,
    typer.Argument(
        help="Files, directories, configurations, or HOST:PORT of running servers; this directory without.",
        metavar="PLACE",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document.")]


@app.command("ls")
def ls(places: Places = None, as_json: AsJson = False) -> None:
    """List certificates: what they are for, their names, and when they end."""
    rows = [(found, description) for found in find(_chosen(places)) for description in found.descriptions]
    if as_json:
        print(json.dumps([_document(found.path, found.part, description) for found, description in rows], indent=2))
        return
    now = datetime.now(UTC)
    _table(
        ("File", "Purpose", "Name", "Hosts", "Key", "Ends"),
        (
            (
                _place(found.path, found.part),
                description.purpose,
                description.common_name,
                ", ".join(description.names),
                description.key,
                _end(description.not_after - now, description.not_after),
            )
            for found, description in rows
        ),
    )


@app.command("info")
def info(places: Places = None, as_json: AsJson = False) -> None:
    """Show everything certificates say."""
    found = list(find(_chosen(places)))
    documents = [_document(item.path, item.part, each) for item in found for each in item.descriptions]
    if as_json:
        print(json.dumps(documents, indent=2))
        return
    for number, document in enumerate(documents):
        if number:
            print()
        for name, value in document.items():
            text = ", ".join(value) if isinstance(value, list) else str(value)
            if text:
                print(f"{name.replace('_', ' ') + ':':<15}{printable(text)}".rstrip())


@app.command("verify")
def verify(
    paths: Paths = None,
    ca: Annotated[
        Path | None, typer.Option("--ca", help="CAs to trust; ca.pem beside a certificate without.", metavar="FILE")
    ] = None,
    purpose: Annotated[
        str, typer.Option("--purpose", help=f"What they are used for: {', '.join(PURPOSES)}.", metavar="PURPOSE")
    ] = "",
    hosts: Annotated[
        list[str] | None,
        typer.Option("--host", help="Under which clients reach the server; may be repeated.", metavar="HOST"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check certificates as their peers would: chain, time, purpose, hosts and key.

    Those of a configuration are checked with the keys and CAs it names, for what it uses them for. Exits with 11 when a
    certificate would be refused.
    """
    if purpose and purpose not in PURPOSES:
        raise UsageError(f'unknown purpose "{purpose}"', hint=f"there are {', '.join(PURPOSES)}")
    verdicts = list(check(paths or [Path()], Question(datetime.now(UTC), ca, purpose, tuple(hosts or ()))))
    if as_json:
        print(json.dumps([_verdict(verdict) for verdict in verdicts], indent=2))
    else:
        for verdict in verdicts:
            _show_verdict(verdict)
    refused = sum(bool(verdict.objections) for verdict in verdicts)
    if refused:
        raise CertificateError(f"{refused} of {len(verdicts)} certificates would be refused")


@app.command("expiry")
def expiry(
    places: Places = None,
    within: Annotated[
        timedelta | None,
        typer.Option("--within", help="How soon is too soon (default 30d).", parser=lifetime, metavar="DURATION"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell which certificates end soon, for a cron job.

    Says nothing and exits with 0 when none does; exits with 11 when one does or has ended, and with 1 when it could not
    find out.
    """
    limit = _SOON if within is None else within
    told = endings(_chosen(places), datetime.now(UTC))
    ending = [item for item in told if item.left <= limit]
    if as_json:
        print(json.dumps([_ending(item) for item in ending], indent=2))
    elif ending:
        _table(
            ("File", "Name", "Ends"),
            (
                (str(item.path), item.description.common_name, _end(item.left, item.description.not_after))
                for item in ending
            ),
        )
    if ending:
        verb = "ends" if len(ending) == 1 else "end"
        raise CertificateError(f"{len(ending)} of {len(told)} certificates {verb} within {format_lifetime(limit)}")


def _chosen(places: list[str] | None) -> list[Path | Address]:
    return [Address.of_place(place) or Path(place) for place in places or ["."]]


def _place(path: Path, part: str) -> str:
    return f"{path} ({part})" if part else str(path)


def _end(left: timedelta, at: datetime) -> str:
    when = f"in {format_lifetime(left)}" if left > timedelta() else f"ended {format_lifetime(-left)} ago"
    return f"{at:%Y-%m-%d} ({when})"


def _document(path: Path, part: str, description: Description) -> dict[str, Any]:
    document: dict[str, Any] = {"file": str(path), "part": part, "purpose": description.purpose}
    for name in description.__slots__:
        value = getattr(description, name)
        if isinstance(value, datetime):
            value = f"{value:%Y-%m-%dT%H:%M:%SZ}"
        document[name] = list(value) if isinstance(value, tuple) else value
    document["serial_number"] = f"{description.serial_number:x}"
    return document


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "file": str(verdict.path),
        "part": verdict.part,
        "accepted": not verdict.objections,
        "objections": [{"message": item.message, "cure": item.cure} for item in verdict.objections],
        "doubts": [{"message": item.message, "cure": item.cure} for item in verdict.doubts],
    }


def _ending(item: Ending) -> dict[str, Any]:
    return {
        "file": str(item.path),
        "common_name": item.description.common_name,
        "not_after": f"{item.description.not_after:%Y-%m-%dT%H:%M:%SZ}",
        "left_s": round(item.left.total_seconds()),
    }


def _show_verdict(verdict: Verdict) -> None:
    outcome = "refused" if verdict.objections else "ok"
    print(f"{printable(_place(verdict.path, verdict.part))}: {outcome}")
    for word, findings in (("", verdict.objections), ("perhaps: ", verdict.doubts)):
        for finding in findings:
            print(f"  {word}{printable(str(finding))}")


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(text)) for text in row))
    show_table(table)
