"""Whether certificates do what they are there for: now, and for how much longer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from natsctl.errors import NatsctlError
from natsctl.ops.certs_inventory import Found, TlsBlock, ca_near, find, is_config, key_beside, tls_blocks
from natsctl.ops.probe import Address
from natsctl.pki.advice import Finding
from natsctl.pki.certificates import Certificate, Description, describe, is_authority, load_certificates
from natsctl.pki.files import read_file, read_key
from natsctl.pki.keys import load_key
from natsctl.pki.verify import matches_host, verify

__all__ = ["Ending", "Question", "Verdict", "check", "endings"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of certificates."""

    now: datetime
    ca: Path | None = None
    """CAs to trust; ``ca.pem`` beside a certificate, or in the directory above, otherwise."""
    purpose: str = ""
    """A word of `natsctl.pki.verify.PURPOSES`; empty when any use will do."""
    hosts: tuple[str, ...] = ()
    """Under which clients reach the server."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a peer says to one certificate."""

    path: Path
    part: str
    """Where a configuration names it; empty otherwise."""
    description: Description
    objections: tuple[Finding, ...]
    """Why it is refused; empty when it is accepted."""
    doubts: tuple[Finding, ...] = ()
    """What may fail elsewhere."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A certificate and when it ends."""

    path: Path
    description: Description
    left: timedelta
    """Until it ends; negative when it has."""


def check(paths: Sequence[Path], question: Question) -> Iterator[Verdict]:
    """Check certificates as their peers would.

    Certificates of a configuration are checked with the key and the CA it names, for what it uses them for.

    Raises:
        NatsctlError: A file cannot be read, or is not what it should be.
    """
    for path in paths:
        if is_config(path):
            for block in tls_blocks(path):
                yield from _check_block(block, question)
        else:
            yield from (_check_file(found, question) for found in find([path]))


def endings(paths: Sequence[Path | Address], now: datetime) -> list[Ending]:
    """Tell when certificates end, those that end first before others.

    Raises:
        NatsctlError: A file cannot be read, or is not what it should be.
        LinkError: A server does not answer, or shows none.
    """
    told = [
        Ending(found.path, description, description.not_after - now)
        for found in find(paths)
        for description in found.descriptions
    ]
    return sorted(told, key=lambda ending: ending.left)


def _check_file(found: Found, question: Question) -> Verdict:
    key_path = key_beside(found.path)
    ca_path = question.ca or ca_near(found.path)
    if is_authority(found.chain[0]) and question.ca is None:
        roots: Sequence[Certificate] = found.chain  # a CA that nobody else vouches for
    elif ca_path is None:
        raise NatsctlError(f"{found.path}: there is no ca.pem beside it", hint="name the CA's file with --ca")
    else:
        roots = load_certificates(read_file(ca_path), str(ca_path))
    return _verdict(found, roots, question, key_path, question.purpose)


def _check_block(block: TlsBlock, question: Question) -> Iterator[Verdict]:
    ca_path = question.ca or block.ca
    for certificate, key_path in block.pairs:
        found = Found(certificate, tuple(load_certificates(read_file(certificate), str(certificate))), block.part)
        ca = ca_path or ca_near(certificate)
        if ca is None:
            raise NatsctlError(f"{block.part} names no ca_file", hint="name the CA's file with --ca")
        roots = load_certificates(read_file(ca), str(ca))
        verdict = _verdict(found, roots, question, key_path, question.purpose or block.purpose)
        doubts = tuple(_doubt_routes(found.chain[0], block.routes))
        yield Verdict(verdict.path, verdict.part, verdict.description, verdict.objections, doubts)


def _verdict(
    found: Found, roots: Sequence[Certificate], question: Question, key_path: Path | None, purpose: str
) -> Verdict:
    key = load_key(read_key(key_path), str(key_path)) if key_path else None
    objections = verify(found.chain, roots, question.now, purpose=purpose, hosts=question.hosts, key=key)
    return Verdict(found.path, found.part, describe(found.chain[0]), tuple(objections))


def _doubt_routes(certificate: Certificate, routes: Sequence[str]) -> Iterator[Finding]:
    """Compare with the hosts of routes, for the nodes of a cluster often have certificates like each other's."""
    hosts = {urlsplit(route if "://" in route else f"nats://{route}").hostname or "" for route in routes}
    missing = sorted(host for host in hosts if host and not matches_host(certificate, host))
    if missing:
        yield Finding(
            f"routes go to {', '.join(missing)}, which this certificate is not for",
            "if the other nodes have one like it, sign them with these hosts",
        )
