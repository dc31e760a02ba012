"""What a peer would object to in a certificate: each objection with its cure, not only the first one.

It follows the rules of Go's ``crypto/x509``, which nats-server and most clients are written with: the common name is no
host, and a wildcard stands for one label.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from natsctl.config.words import quoted
from natsctl.pki.advice import Finding
from natsctl.pki.certificates import describe, extension_of, is_authority, path_length
from natsctl.pki.keys import PrivateKey
from natsctl.pki.lifetimes import format_lifetime
from natsctl.pki.names import parse_ip

__all__ = ["PURPOSES", "find_issuer", "matches_host", "verify"]

PURPOSES = {"server": ("server auth",), "client": ("client auth",), "route": ("server auth", "client auth")}
"""What a certificate is used for in a NATS system to the usages it needs."""

_MAX_CHAIN = 10


def verify(
    chain: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    now: datetime,
    *,
    purpose: str = "",
    hosts: Iterable[str] = (),
    key: PrivateKey | None = None,
) -> list[Finding]:
    """Check a certificate as its peer would.

    Args:
        chain: The certificate, then the intermediate CAs that are sent with it.
        roots: CAs the peer trusts.
        now: The time.
        purpose: One of `PURPOSES`; empty when any will do.
        hosts: Names and addresses under which clients reach it.
        key: What is to belong to it.

    Returns:
        What the peer objects to; empty when it accepts the certificate.
    """
    leaf = chain[0]
    findings = [*_check_time(leaf, "the certificate", now)]
    if key is not None and key.public_key() != leaf.public_key():
        findings.append(Finding("the key does not match the certificate", "name the key it was made with"))
    findings += _check_purpose(leaf, purpose)
    findings += (_no_match(leaf, host) for host in hosts if not matches_host(leaf, host))
    findings += _check_chain(leaf, chain[1:], roots, now)
    return findings


def matches_host(certificate: x509.Certificate, host: str) -> bool:
    """Whether a client that was told to connect to this host accepts the names of a certificate."""
    names = extension_of(certificate, x509.SubjectAlternativeName) or ()
    address = parse_ip(host.strip("[]"))
    if address is not None:
        return any(isinstance(name, x509.IPAddress) and name.value == address for name in names)
    return any(isinstance(name, x509.DNSName) and _matches(name.value, host) for name in names)


def find_issuer(certificate: x509.Certificate, candidates: Iterable[x509.Certificate]) -> x509.Certificate | None:
    """Give the certificate among the candidates whose key signed this one."""
    for candidate in candidates:
        try:
            certificate.verify_directly_issued_by(candidate)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return candidate
    return None


def _matches(pattern: str, host: str) -> bool:
    wanted, given = host.lower().rstrip("."), pattern.lower()
    if given.startswith("*."):
        return wanted.partition(".")[2] == given[2:] and not wanted.startswith(".")
    return bool(wanted) and wanted == given


def _check_time(certificate: x509.Certificate, what: str, now: datetime) -> Iterator[Finding]:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > end:
        yield Finding(f"{what} expired {format_lifetime(now - end)} ago, at {end:%Y-%m-%d %H:%M:%S} UTC", "renew it")
    elif now < begin:
        yield Finding(f"{what} is not valid before {begin:%Y-%m-%d %H:%M:%S} UTC", "look at the clock of this machine")


def _check_purpose(leaf: x509.Certificate, purpose: str) -> Iterator[Finding]:
    usages = describe(leaf).usages
    extended = extension_of(leaf, x509.ExtendedKeyUsage)
    for usage in PURPOSES.get(purpose, ()):
        if extended is not None and usage not in usages and "any" not in usages:
            yield Finding(
                f"a {purpose} certificate needs the usage {quoted(usage)}", "sign it with a profile that has it"
            )


def _no_match(leaf: x509.Certificate, host: str) -> Finding:
    names = describe(leaf).names
    if parse_ip(host.strip("[]")) and not any(parse_ip(name) for name in names):
        return Finding(f"it doesn't contain any IP SANs, and so not {host}", f'sign it with "{host}" among the hosts')
    listed = ", ".join(map(quoted, names)) or "nothing"
    return Finding(f"it is for {listed}, not for {quoted(host)}", f'sign it with "{host}" among the hosts')


def _check_chain(
    leaf: x509.Certificate, others: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], now: datetime
) -> Iterator[Finding]:
    current = leaf
    for depth in range(_MAX_CHAIN):
        if current in roots:
            return
        issuer = find_issuer(current, roots) or find_issuer(current, (other for other in others if other != current))
        if issuer is None:
            yield _unknown_issuer(current, [*roots, *others])
            return
        name = f"its CA {quoted(describe(issuer).common_name or issuer.subject.rfc4514_string())}"
        yield from _check_time(issuer, name, now)
        if not is_authority(issuer):
            yield Finding(f"{name} may not sign certificates", "sign it with a CA")
        limit = path_length(issuer)
        if limit is not None and depth > limit:
            yield Finding(f"{name} allows {limit} CAs between it and a certificate, not {depth}", "use a shorter chain")
        current = issuer
    yield Finding(f"its chain is longer than {_MAX_CHAIN} certificates", "use a shorter one")


def _unknown_issuer(certificate: x509.Certificate, known: Sequence[x509.Certificate]) -> Finding:
    issuer = certificate.issuer.rfc4514_string()
    if certificate.issuer == certificate.subject:
        return Finding("it vouches for itself, and is not among the trusted", "trust it, or sign one with a CA")
    if any(candidate.subject == certificate.issuer for candidate in known):
        return Finding(f"a CA of the name {issuer} is there, but its key did not sign this", "find the CA that did")
    return Finding(f"it is signed by an unknown authority: {issuer}", "name that CA's file, or add it to the bundle")
