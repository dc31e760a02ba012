"""``natsctl certs gencert`` and ``genkey``: new keys, with a certificate or a request for one."""

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
from natsctl.cli.goflags import GoCommand
from natsctl.errors import UsageError
from natsctl.pki.advice import advise
from natsctl.pki.authority import Authority
from natsctl.pki.certificates import certificate_pem, describe
from natsctl.pki.files import read_key
from natsctl.pki.keys import PrivateKey, key_pem, load_key
from natsctl.pki.request import Request, build_csr, csr_pem, read_request

__all__ = ["CsrJson", "app", "generate", "read"]

app = typer.Typer(add_completion=False)

CsrJson = Annotated[
    str, typer.Argument(help="CSR document of cfssl, or - for stdin.", metavar="CSRJSON", show_default=False)
]
InitCa = Annotated[bool, typer.Option("--initca", help="Make a new CA.")]


@app.command("gencert", cls=GoCommand, options_metavar="[FLAGS]")
def gencert(
    csr_json: CsrJson = "",
    initca: InitCa = False,
    renewca: Annotated[
        bool, typer.Option("--renewca", help="Make the CA's certificate anew, with the same key, names and lifetime.")
    ] = False,
    ca: CaFile = "",
    ca_key: CaKeyFile = "",
    config: ConfigFile = "",
    profile: ProfileName = "",
    hostname: Hostname = "",
    loglevel: LogLevel = 1,
) -> None:
    """Make a key and a certificate for it, as cfssl does.

    Writes one line of JSON with cert, csr and key; 'natsctl certs json -bare NAME' makes files of it.
    """
    log = Log(loglevel)
    if initca and renewca:
        raise UsageError("-initca and -renewca exclude each other")
    if renewca:
        _renew(ca, ca_key, log)
        return
    if not csr_json:
        raise UsageError("the CSR document is missing: name a file, or - for stdin")
    if initca:
        if ca or config or profile or hostname:
            raise UsageError("-initca takes no -ca, -config, -profile or -hostname: the CSR document says it all")
        _create(csr_json, ca_key, log)
        return
    policy = load_policy(config, log)
    chosen = policy.choose(profile)
    authority = load_authority(ca, ca_key)
    request = read(csr_json, log).for_hosts(split_hosts(hostname))
    if request.ca:
        raise UsageError("a ca section is only for gencert -initca")
    now = datetime.now(UTC)
    authority.check_time(now)
    key = generate(request, log)
    csr = build_csr(request, key)
    log.info("encoded CSR")
    signed = authority.sign(csr, chosen, now, crl_url=request.crl_url)
    log.info(f"signed certificate with serial number {signed.serial_number}")
    log.warn(advise(describe(signed), describe(authority.certificate), request.hosts, role=profile, now=now))
    write_json(cert=certificate_pem(signed), csr=csr_pem(csr), key=key_pem(key))


@app.command("genkey", cls=GoCommand, options_metavar="[FLAGS]")
def genkey(csr_json: CsrJson, initca: InitCa = False, loglevel: LogLevel = 1) -> None:
    """Make a key and a request for a certificate, as cfssl does.

    Writes one line of JSON with csr and key.
    """
    log = Log(loglevel)
    if initca:
        _create(csr_json, "", log)
        return
    request = read(csr_json, log)
    key = generate(request, log)
    csr = build_csr(request, key)
    log.info("encoded CSR")
    write_json(csr=csr_pem(csr), key=key_pem(key))


def _create(csr_json: str, key_file: str, log: Log) -> None:
    request = read(csr_json, log)
    if key_file:
        log.info("re-generate a CA certificate from CSR and CA key")
        key = load_key(read_key(key_file), key_file)
    else:
        log.info("generating a new CA key and certificate from CSR")
        key = generate(request, log)
    authority = Authority.create(request, key, datetime.now(UTC))
    csr = build_csr(request, key)
    log.info("encoded CSR")
    log.info(f"signed certificate with serial number {authority.certificate.serial_number}")
    parts = {"cert": certificate_pem(authority.certificate), "csr": csr_pem(csr)}
    write_json(**parts if key_file else parts | {"key": key_pem(key)})


def _renew(ca: str, ca_key: str, log: Log) -> None:
    log.info("re-generate a CA certificate from CA cert and key")
    renewed = load_authority(ca, ca_key).renewed(datetime.now(UTC)).certificate
    log.info(f"signed certificate with serial number {renewed.serial_number}")
    write_json(cert=certificate_pem(renewed))


def read(path: str, log: Log) -> Request:
    """Read a CSR document."""
    data, name = read_input(path)
    request, warnings = read_request(data, name)
    log.warn(warnings)
    return request


def generate(request: Request, log: Log) -> PrivateKey:
    """Make the key a CSR document asks for, and tell of it."""
    log.info("generate received request")
    log.info("received CSR")
    log.info(f"generating key: {request.key_policy}")
    return request.key_policy.generate()
