"""Certificates as a peer presents them: who it is, and what it can be recognised by.

Source: RFC 5280, RFC 4514 (names as text), RFC 6125 (host names).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from pathlib import Path

from cryptography import x509

from natsctl.pki.certificates import spki_sha256

__all__ = ["PresentedCertificate", "expiry", "host_names", "matches_host", "parse_name"]

Name = tuple[tuple[str, str], ...]
"""A distinguished name without its order: object identifiers and values, sorted."""


class PresentedCertificate:
    """One certificate.

    Args:
        der: As it came.

    Raises:
        ValueError: It is none.
    """

    def __init__(self, der: bytes) -> None:
        self._der = der
        self._certificate = x509.load_der_x509_certificate(der)

    @property
    def subject(self) -> str:
        """The distinguished name, most telling part first: ``CN=x,O=y``."""
        return self._certificate.subject.rfc4514_string()

    @property
    def name(self) -> Name:
        """The distinguished name to compare with others."""
        return _unordered(self._certificate.subject)

    @property
    def sha256(self) -> str:
        """Fingerprint of the certificate, hex."""
        return hashlib.sha256(self._der).hexdigest()

    @property
    def public_key_sha256(self) -> str:
        """Fingerprint of its public key, hex; a renewed certificate may keep it."""
        return spki_sha256(self._certificate)

    @property
    def emails(self) -> list[str]:
        """Mail addresses it is for."""
        return self._alternative_names.get_values_for_type(x509.RFC822Name)

    @property
    def dns_names(self) -> list[str]:
        """Host names it is for."""
        return self._alternative_names.get_values_for_type(x509.DNSName)

    @property
    def uris(self) -> list[str]:
        """URIs it is for."""
        return self._alternative_names.get_values_for_type(x509.UniformResourceIdentifier)

    @cached_property
    def _alternative_names(self) -> x509.SubjectAlternativeName:
        return _alternative_names(self._certificate)


def parse_name(text: str) -> Name | None:
    """Read a distinguished name such as ``CN=x,O=y``; None when it is none."""
    try:
        return _unordered(x509.Name.from_rfc4514_string(text))
    except ValueError:
        return None


def host_names(path: str) -> list[str]:
    """Host names that the first certificate of a PEM file is for."""
    return _alternative_names(_first(path)).get_values_for_type(x509.DNSName)


def expiry(path: str) -> datetime:
    """When the first certificate of a PEM file ends; UTC."""
    return _first(path).not_valid_after_utc


def matches_host(names: Iterable[str], host: str) -> bool:
    """Whether one of the names, perhaps with ``*`` for its first label, stands for a host."""
    host = host.lower().rstrip(".")
    _, dot, parent = host.partition(".")
    return any(name.lower() in (host, f"*{dot}{parent}" if dot else host) for name in names)


def _first(path: str) -> x509.Certificate:
    return x509.load_pem_x509_certificates(Path(path).read_bytes())[0]


def _alternative_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return x509.SubjectAlternativeName([])


def _unordered(name: x509.Name) -> Name:
    return tuple(sorted((attribute.oid.dotted_string, str(attribute.value)) for attribute in name))
