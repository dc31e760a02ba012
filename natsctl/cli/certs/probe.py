"""``natsctl certs probe``: what a server shows of its TLS to somebody without credentials."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from natsctl.cli.output import printable
from natsctl.errors import CertificateError
from natsctl.ops.probe import Address, Probe, probe
from natsctl.pki.certificates import Description
from natsctl.pki.lifetimes import format_lifetime

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command("probe")
def run_probe(
    address: Annotated[str, typer.Argument(help="Where the server listens.", metavar="HOST[:PORT]")],
    name: Annotated[
        str, typer.Option("--host", help="Name that clients know the server by, if it is another.", metavar="NAME")
    ] = "",
    ca: Annotated[
        Path | None,
        typer.Option(
            "--tlsca", help="CA certificates that clients trust; those of the system without.", metavar="FILE"
        ),
    ] = None,
    timeout_s: Annotated[
        float, typer.Option("--timeout", help="Longest wait for an answer, in seconds.", min=0.1, metavar="SECS")
    ] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON document.")] = False,
) -> None:
    """Show the TLS of a running server, and what clients would object to; no credentials are sent.

    Understands ports that begin in clear with INFO (clients, leafnodes), and ports where TLS comes first (routes,
    monitoring, handshake_first). Exits with 11 when clients would refuse the server, and with 6 when nobody answers.
    """
    found = probe(Address.parse(address), datetime.now(UTC), name=name, ca=ca, timeout_s=timeout_s)
    if as_json:
        print(json.dumps(_document(found), indent=2))
    else:
        for line in _lines(found):
            print(printable(line))
    if found.objections:
        raise CertificateError(f"clients would refuse {address}")


def _lines(found: Probe) -> list[str]:
    whom = f"serves {found.speaks}" if found.speaks else "does not say whom it serves"
    if not found.speaks and found.demands_certificate:
        whom += " before it has seen a certificate: routes, gateways, or clients where TLS comes first"
    lines = [f"{found.host}:{found.port} {whom}" + (f" ({found.software})" if found.software else "")]
    if found.version:
        order = "before INFO" if found.is_first and found.speaks != "monitoring" else "after INFO"
        order = "" if found.speaks == "monitoring" else f", {order}"
        lines.append(f"TLS {found.version}, {found.suite}{order}")
    if found.chain:
        lines.append(f"a client certificate is {'demanded' if found.demands_certificate else 'not demanded'}")
    for number, certificate in enumerate(found.chain):
        lines += ["", *_describe(certificate, number)]
    if found.objections:
        lines += ["", "clients object:", *(f"  {objection}" for objection in found.objections)]
    return lines


def _describe(certificate: Description, number: int) -> list[str]:
    left = certificate.not_after - datetime.now(UTC)
    ends = f"in {format_lifetime(left)}" if left.total_seconds() > 0 else f"ended {format_lifetime(-left)} ago"
    return [
        f"certificate {number + 1}: {certificate.subject or '(no subject)'}",
        f"  issuer   {certificate.issuer}",
        *([f"  hosts    {', '.join(certificate.names)}"] if certificate.names else []),
        f"  purpose  {certificate.purpose}",
        f"  key      {certificate.key}",
        f"  valid    {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d} ({ends})",
        f"  sha256   {certificate.sha256}",
    ]


def _document(found: Probe) -> dict[str, Any]:
    return {
        "host": found.host,
        "port": found.port,
        "speaks": found.speaks,
        "software": found.software,
        "tls_first": found.is_first,
        "tls_version": found.version,
        "tls_cipher_suite": found.suite,
        "demands_certificate": found.demands_certificate,
        "chain": [
            {
                "subject": each.subject,
                "issuer": each.issuer,
                "names": list(each.names),
                "usages": list(each.usages),
                "key": each.key,
                "not_before": f"{each.not_before:%Y-%m-%dT%H:%M:%SZ}",
                "not_after": f"{each.not_after:%Y-%m-%dT%H:%M:%SZ}",
                "sha256": each.sha256,
                "spki_sha256": each.spki_sha256,
            }
            for each in found.chain
        ],
        "objections": [{"message": each.message, "cure": each.cure} for each in found.objections],
    }
