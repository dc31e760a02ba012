"""What a key may be used for, in cfssl's words.

Source: cfssl ``config/config.go``.
"""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from natsctl.config.words import did_you_mean, quoted

__all__ = ["EXTENDED_USAGES", "KEY_USAGES", "extended_usages", "key_usage", "usage_problem"]

KEY_USAGES = {
    "signing": "digital_signature",
    "digital signature": "digital_signature",
    "content commitment": "content_commitment",
    "content committment": "content_commitment",  # how cfssl 1.2 spells it
    "key encipherment": "key_encipherment",
    "key agreement": "key_agreement",
    "data encipherment": "data_encipherment",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
    "encipher only": "encipher_only",
    "decipher only": "decipher_only",
}
"""cfssl's word to the bit of the key usage extension, as cryptography names it."""

EXTENDED_USAGES = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "ipsec end system": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec tunnel": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec user": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "microsoft sgc": x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscape sgc": x509.ObjectIdentifier("2.16.840.1.113730.4.1"),
}
"""cfssl's word to the object identifier in the extended key usage extension."""

_BITS = tuple(dict.fromkeys(KEY_USAGES.values()))


def key_usage(usages: Iterable[str]) -> x509.KeyUsage | None:
    """Make the key usage extension; None when no usage belongs there.

    Raises:
        ValueError: "encipher only" or "decipher only" without "key agreement", whose sense they narrow.
    """
    bits = {KEY_USAGES[usage] for usage in usages if usage in KEY_USAGES}
    return x509.KeyUsage(**{bit: bit in bits for bit in _BITS}) if bits else None


def extended_usages(usages: Iterable[str]) -> x509.ExtendedKeyUsage | None:
    """Make the extended key usage extension, in the order given; None when no usage belongs there."""
    found = dict.fromkeys(EXTENDED_USAGES[usage] for usage in usages if usage in EXTENDED_USAGES)
    return x509.ExtendedKeyUsage(found) if found else None


def usage_problem(usage: str) -> str | None:
    """Say what is wrong with a usage word, naming the nearest; None when it is known."""
    if usage in KEY_USAGES or usage in EXTENDED_USAGES:
        return None
    return f"unknown usage {quoted(usage)}{did_you_mean(usage, (*KEY_USAGES, *EXTENDED_USAGES))}"
