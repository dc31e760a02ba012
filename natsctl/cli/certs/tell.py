"""``natsctl certs certinfo``: what is in a certificate or a request, as JSON."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from natsctl.cli.certs.common import read_input
from natsctl.cli.goflags import GoCommand
from natsctl.errors import UsageError
from natsctl.pki.certificates import load_certificate
from natsctl.pki.certinfo import certificate_info, request_info
from natsctl.pki.request import load_csr

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command("certinfo", cls=GoCommand, options_metavar="[FLAGS]")
def certinfo(
    cert: Annotated[str, typer.Option("--cert", help="Certificate, or - for stdin.", metavar="FILE")] = "",
    csr: Annotated[str, typer.Option("--csr", help="Certificate request, or - for stdin.", metavar="FILE")] = "",
) -> None:
    """Write what is in a certificate as JSON, as cfssl does; a request is told of in the same form."""
    if bool(cert) == bool(csr):
        raise UsageError("name either a certificate with -cert or a request with -csr")
    info = certificate_info(load_certificate(*read_input(cert))) if cert else request_info(load_csr(*read_input(csr)))
    print(json.dumps(info, indent=2, ensure_ascii=False))
