"""Names in certificates: subjects, and the subject alternative names that hosts become.

Source: cfssl ``csr/csr.go``; Go ``crypto/x509/pkix`` for the order of a subject's parts and the types of its strings.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from cryptography import x509
from cryptography.x509.name import _ASN1Type  # the type of a string is part of a name, and there is no other way to it
from cryptography.x509.oid import NameOID

from natsctl.config.words import quoted
from natsctl.errors import NatsctlError

__all__ = ["PARTS", "Address", "completed", "general_name", "general_names", "in_order", "parse_ip", "subject_name"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PARTS = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
}
"""Parts of a subject, in Go's order."""

_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,\-./:=?]*")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = re.compile(rf"(?:[^<>@\"]*<)?({_ATOM}(?:\.{_ATOM})*@{_ATOM}(?:\.{_ATOM})*)(>?)")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_ORDER: tuple[type[x509.GeneralName], ...] = (
    x509.DNSName,
    x509.RFC822Name,
    x509.IPAddress,
    x509.UniformResourceIdentifier,
)


def subject_name(parts: Iterable[tuple[str, str]]) -> x509.Name:
    """Make a subject.

    Args:
        parts: Keys of `PARTS` or dotted object identifiers, each with a value; empty values are left out. Several
            values of one key make one part with several values.

    Raises:
        NatsctlError: A value is not what X.509 allows for its part.
    """
    values: dict[str, dict[str, None]] = {key: {} for key in PARTS}
    for key, value in parts:
        if value:
            values.setdefault(key, {})[value] = None
    rows = ((key, list(found)) for key, found in values.items() if found)
    return x509.Name([x509.RelativeDistinguishedName(_attribute(key, value) for value in row) for key, row in rows])


def completed(subject: x509.Name, by: x509.Name) -> x509.Name:
    """Fill the parts a subject lacks with those of another one."""
    given = {attribute.oid for attribute in subject}
    rdns = [*subject.rdns, *(rdn for rdn in by.rdns if not any(attribute.oid in given for attribute in rdn))]
    places = {oid: place for place, oid in enumerate(PARTS.values())}
    return x509.Name(sorted(rdns, key=lambda rdn: places.get(next(iter(rdn)).oid, len(places))))


def general_names(hosts: Iterable[str]) -> list[x509.GeneralName]:
    """Turn hosts into subject alternative names.

    Raises:
        NatsctlError: A host is not ASCII.
    """
    return in_order([general_name(host) for host in hosts])


def in_order(names: Iterable[x509.GeneralName]) -> list[x509.GeneralName]:
    """Sort names by their kinds, as Go writes them: DNS, e-mail, IP, URI.

    Raises:
        NatsctlError: One is of another kind, which no host is.
    """
    for name in names:
        if type(name) not in _ORDER:
            raise NatsctlError(f"alternative names of the kind {type(name).__name__} are not for hosts")
    return sorted(names, key=lambda name: _ORDER.index(type(name)))


def general_name(host: str) -> x509.GeneralName:
    """Turn a host into the kind of name it looks like: an IP address, an e-mail address, a URI, else a DNS name.

    Raises:
        NatsctlError: It is not ASCII.
    """
    address = parse_ip(host)
    if address is not None:
        return x509.IPAddress(address)
    if not host.isascii():
        raise NatsctlError(f"host {quoted(host)} is not ASCII", hint=_idna_hint(host))
    email = _EMAIL.fullmatch(host)
    if email and ("<" in host) == bool(email[2]):
        return x509.RFC822Name(email[1])
    if _URI.fullmatch(host):
        return x509.UniformResourceIdentifier(host)
    return x509.DNSName(host)


def parse_ip(host: str) -> Address | None:
    """Read an IP address as Go does: without zone, an IPv4 address mapped into IPv6 as what it is; else None."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return None if address.scope_id else address.ipv4_mapped or address
    return address


def _attribute(key: str, value: str) -> x509.NameAttribute[str]:
    oid = PARTS.get(key)
    kind = _ASN1Type.PrintableString if _PRINTABLE.fullmatch(value) else _ASN1Type.UTF8String
    try:
        return x509.NameAttribute(oid or x509.ObjectIdentifier(key), value, kind)
    except ValueError as error:
        reason = str(error).removesuffix(".")
        raise NatsctlError(f"{key} {quoted(value)} in the subject: {reason[:1].lower()}{reason[1:]}") from None


def _idna_hint(host: str) -> str | None:
    try:
        return f'write "{host.encode("idna").decode()}"'
    except UnicodeError:
        return None
