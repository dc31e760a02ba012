"""Certificates as a peer presents them: who it is, and what it can be recognised by.

Source: RFC 5280, RFC 4514 (names as text).
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cached_property

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from natsctl.pki.certificates import spki_sha256

__all__ = ["PresentedCertificate", "parse_name"]

Name = tuple[tuple[str, str], ...]
"""A distinguished name without its order: object identifiers and values, sorted."""


class PresentedCertificate:
    """One certificate.

    Args:
        der: As it came.

    Raises:
        ValueError: It is none; what it says may be malformed too, and each property then raises this as well.
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
        try:
            return spki_sha256(self._certificate)
        except UnsupportedAlgorithm as error:
            raise ValueError(str(error)) from None

    @property
    def emails(self) -> list[str]:
        """Mail addresses it is for."""
        return self._alternative_names.get_values_for_type(x509.RFC822Name)

    @property
    def dns_names(self) -> list[str]:
        """Host names it is for."""
        return self._alternative_names.get_values_for_type(x509.DNSName)

    @property
    def ip_addresses(self) -> list[str]:
        """IP addresses it is for."""
        return [str(each) for each in self._alternative_names.get_values_for_type(x509.IPAddress)]

    @property
    def validity(self) -> tuple[datetime, datetime]:
        """From when it is valid, and until when."""
        return self._certificate.not_valid_before_utc, self._certificate.not_valid_after_utc

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


def _alternative_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return x509.SubjectAlternativeName([])


def _unordered(name: x509.Name) -> Name:
    return tuple(sorted((attribute.oid.dotted_string, str(attribute.value)) for attribute in name))
