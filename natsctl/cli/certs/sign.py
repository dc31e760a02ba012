"""``natsctl certs sign`` and ``selfsign``: certificates for requests of others, and for trying things out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from natsctl.cli.certs.common import (
    CaFile,
    CaKeyFile,
    ConfigFile,
    Hostname,
    Log,
    LogLevel,
    ProfileName,
    load_authority,
    load_policy,
    read_input,
    split_hosts,
    write_json,
)
from natsctl.cli.certs.gencert import CsrJson, generate, read
from natsctl.cli.goflags import GoCommand
from natsctl.cli.output import note
from natsctl.pki import documents
from natsctl.pki.advice import advise, advise_hosts
from natsctl.pki.authority import self_sign
from natsctl.pki.certificates import certificate_pem, describe
from natsctl.pki.files import read_file
from natsctl.pki.keys import key_pem
from natsctl.pki.request import Subject, build_csr, csr_pem, load_csr

__all__ = ["app"]

app = typer.Typer(add_completion=False)

_DANGER = """*** WARNING ***

A self-signed certificate vouches for itself: nobody can tell it from that of an impostor.
It is for trying things out; 'natsctl certs init' makes a CA and certificates that it vouches for.

*** WARNING ***
"""


@app.command("sign", cls=GoCommand, options_metavar="[FLAGS]")
def sign(
    request: Annotated[
        str,
        typer.Argument(help="Certificate request in PEM form, or - for stdin.", metavar="CSR", show_default=False),
    ],
    subject_json: Annotated[
        str, typer.Argument(help="Document with CN and names that replace those of the request.", metavar="SUBJECT")
    ] = "",
    ca: CaFile = "",
    ca_key: CaKeyFile = "",
    config: ConfigFile = "",
    profile: ProfileName = "",
    hostname: Hostname = "",
    loglevel: LogLevel = 1,
) -> None:
    """Sign a certificate request, as cfssl does.

    Writes one line of JSON with cert and csr.
    """
    log = Log(loglevel)
    chosen = load_policy(config, log).choose(profile)
    authority = load_authority(ca, ca_key)
    csr = load_csr(*read_input(request))
    subject = None
    if subject_json:
        document, warnings = documents.read(read_file(subject_json), Subject, subject_json)
        log.warn(warnings)
        subject = document.over(csr.subject)
    now = datetime.now(UTC)
    signed = authority.sign(csr, chosen, now, hosts=split_hosts(hostname), subject=subject)
    log.info(f"signed certificate with serial number {signed.serial_number}")
    described = describe(signed)
    log.warn(advise(described, describe(authority.certificate), described.names, role=profile, now=now))
    write_json(cert=certificate_pem(signed), csr=csr_pem(csr))


@app.command("selfsign", cls=GoCommand, options_metavar="[FLAGS]")
def selfsign(
    host: Annotated[str, typer.Argument(help="Name or address of the server.", metavar="HOST", show_default=False)],
    csr_json: CsrJson,
    loglevel: LogLevel = 1,
) -> None:
    """Make a key and a certificate that vouches for itself, for 90 days.

    The host and those of the document are its names; cfssl 1.2 leaves them out.
    """
    log = Log(loglevel)
    note(_DANGER)
    document = read(csr_json, log)
    key = generate(document, log)
    csr = build_csr(document, key)
    log.info("encoded CSR")
    signed = self_sign(document, key, host, datetime.now(UTC))
    log.info(f"signed certificate with serial number {signed.serial_number}")
    log.warn(advise_hosts(describe(signed).names, document.cn, is_server=True))
    write_json(cert=certificate_pem(signed), csr=csr_pem(csr), key=key_pem(key))
