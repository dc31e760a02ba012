"""Certificates and requests as cfssl's certinfo tells of them.

Source: cfssl ``certinfo/certinfo.go``.
"""

from __future__ import annotations

from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from natsctl.pki.certificates import certificate_pem, extension_of, signature_name
from natsctl.pki.request import csr_pem

__all__ = ["certificate_info", "request_info"]

_PARTS = {
    "common_name": NameOID.COMMON_NAME,
    "serial_number": NameOID.SERIAL_NUMBER,
    "country": NameOID.COUNTRY_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizational_unit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "locality": NameOID.LOCALITY_NAME,
    "province": NameOID.STATE_OR_PROVINCE_NAME,
    "street_address": NameOID.STREET_ADDRESS,
    "postal_code": NameOID.POSTAL_CODE,
}


def certificate_info(certificate: x509.Certificate) -> dict[str, Any]:
    """Tell of a certificate; what it lacks is left out."""
    authority = extension_of(certificate, x509.AuthorityKeyIdentifier)
    own = extension_of(certificate, x509.SubjectKeyIdentifier)
    return _given(
        {
            "subject": _name(certificate.subject),
            "issuer": _name(certificate.issuer),
            "serial_number": str(certificate.serial_number),
            "sans": _sans(certificate),
            "not_before": f"{certificate.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}",
            "not_after": f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
            "sigalg": signature_name(certificate),
        }
    ) | {
        "authority_key_id": _hex((authority and authority.key_identifier) or b""),
        "subject_key_id": _hex(own.digest if own else b""),
        "pem": certificate_pem(certificate).decode(),
    }


def request_info(csr: x509.CertificateSigningRequest) -> dict[str, Any]:
    """Tell of a request in the same words."""
    told = {
        "subject": _name(csr.subject),
        "sans": _sans(csr),
        "sigalg": signature_name(csr),
        "pem": csr_pem(csr).decode(),
    }
    return _given(told)


def _name(name: x509.Name) -> dict[str, Any]:
    values = {
        key: ",".join(str(attribute.value) for attribute in name.get_attributes_for_oid(oid))
        for key, oid in _PARTS.items()
    }
    return _given({**values, "names": [str(attribute.value) for attribute in name]})


def _sans(document: x509.Certificate | x509.CertificateSigningRequest) -> list[str]:
    names = extension_of(document, x509.SubjectAlternativeName) or ()
    kinds = (x509.DNSName, x509.IPAddress, x509.RFC822Name, x509.UniformResourceIdentifier)
    return [str(name.value) for kind in kinds for name in names if isinstance(name, kind)]


def _hex(data: bytes) -> str:
    """Write bytes as cfssl does, without leading zeros: ``3F:9D:2``."""
    return ":".join(f"{byte:X}" for byte in data)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}
