"""``natsctl certs renew``: the same certificates, for another while."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from natsctl.cli.certs.make import lifetime
from natsctl.cli.output import note, printable
from natsctl.ops.certs_renew import Renewal, RenewalPlan, renew_all

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command("renew")
def renew(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files, directories or configurations; this directory without.", metavar="PATH"),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option("--ca", help="Who signs; ca.pem beside a certificate or above it without.", metavar="FILE"),
    ] = None,
    ca_key: Annotated[Path | None, typer.Option("--ca-key", help="Key of the CA.", metavar="FILE")] = None,
    within: Annotated[
        timedelta | None,
        typer.Option("--within", help="Renew only what ends so soon.", parser=lifetime, metavar="DURATION"),
    ] = None,
    expiry: Annotated[
        timedelta | None,
        typer.Option("--expiry", help="How long they live; as before without.", parser=lifetime, metavar="DURATION"),
    ] = None,
    reuse_key: Annotated[
        bool, typer.Option("--reuse-key", help="Keep the keys, for peers that have pinned them.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON document.")] = False,
) -> None:
    """Renew certificates: the same names and kinds of keys, from now on; the old files are kept as NAME.TIME.old.

    A CA is renewed only when its file is named, and keeps its key.
    """
    plan = RenewalPlan(datetime.now(UTC), ca, ca_key, within, expiry, reuse_key)
    done = []
    for renewal in renew_all(paths or [Path()], plan):
        done.append(renewal)
        if not as_json:
            print(f"{printable(str(renewal.path))}: until {renewal.description.not_after:%Y-%m-%d}", flush=True)
        for doubt in renewal.doubts:
            note(f"{printable(str(renewal.path))}: {printable(str(doubt))}")
    if as_json:
        print(json.dumps([_document(renewal) for renewal in done], indent=2))
    elif not done:
        note("nothing ends so soon")
    elif any(not renewal.description.is_ca for renewal in done):
        note("servers go on with the old ones until they reload their configuration")


def _document(renewal: Renewal) -> dict[str, object]:
    return {
        "file": str(renewal.path),
        "not_after": f"{renewal.description.not_after:%Y-%m-%dT%H:%M:%SZ}",
        "kept": [str(path) for path in renewal.kept],
        "doubts": [str(doubt) for doubt in renewal.doubts],
    }
