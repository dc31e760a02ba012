"""Reading certificates, and saying in words what is in them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID, SignatureAlgorithmOID

from natsctl.errors import NatsctlError
from natsctl.pki.keys import policy_of
from natsctl.pki.usages import EXTENDED_USAGES, KEY_USAGES

__all__ = [
    "MALFORMED",
    "Description",
    "certificate_pem",
    "describe",
    "extension_of",
    "extensions_of",
    "is_authority",
    "load_certificate",
    "load_certificates",
    "parse_all",
    "path_length",
    "signature_name",
    "spki_sha256",
]

Certificate: TypeAlias = x509.Certificate
"""For layers in which nobody imports cryptography."""

MAX_CERTIFICATES = 1000
"""In one file; bundles of a whole operating system have about 150."""

MALFORMED = (
    ValueError,
    TypeError,
    CryptographyDeprecationWarning,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What cryptography raises for documents that are not well formed, sooner or later."""

_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_USAGE_WORDS = {bit: word for word, bit in reversed(KEY_USAGES.items())} | {"content_commitment": "content commitment"}
_USAGE_WORDS["digital_signature"] = "digital signature"
_EXTENDED_WORDS = {oid: word for word, oid in reversed(EXTENDED_USAGES.items())}

_SIGNATURES = {
    SignatureAlgorithmOID.RSA_WITH_SHA1: "SHA1WithRSA",
    SignatureAlgorithmOID.RSA_WITH_SHA256: "SHA256WithRSA",
    SignatureAlgorithmOID.RSA_WITH_SHA384: "SHA384WithRSA",
    SignatureAlgorithmOID.RSA_WITH_SHA512: "SHA512WithRSA",
    SignatureAlgorithmOID.ECDSA_WITH_SHA1: "ECDSAWithSHA1",
    SignatureAlgorithmOID.ECDSA_WITH_SHA256: "ECDSAWithSHA256",
    SignatureAlgorithmOID.ECDSA_WITH_SHA384: "ECDSAWithSHA384",
    SignatureAlgorithmOID.ECDSA_WITH_SHA512: "ECDSAWithSHA512",
    SignatureAlgorithmOID.ED25519: "Ed25519",
}
"""Go's names."""

T = TypeVar("T", bound=x509.ExtensionType)


def load_certificates(data: bytes, name: str) -> list[x509.Certificate]:
    """Load the certificates of a PEM file, or one in DER form.

    Args:
        data: The file's content.
        name: What to call it in errors.

    Raises:
        NatsctlError: There is none, there are too many, or one is malformed.
    """
    blocks = _BLOCK.findall(data)
    if len(blocks) > MAX_CERTIFICATES:
        raise NatsctlError(f"{name}: {len(blocks)} certificates exceed the limit of {MAX_CERTIFICATES}")
    if not blocks and not data.startswith(b"\x30"):
        raise NatsctlError(f"{name}: no certificate in PEM form")
    try:
        with warnings.catch_warnings(action="ignore"):  # of odd lengths and encodings, which peers take as they are
            warnings.filterwarnings("error", message=".*serial number")  # negative ones; Go refuses them too
            found = [*map(x509.load_pem_x509_certificate, blocks)] or [x509.load_der_x509_certificate(data)]
            for certificate in found:
                parse_all(certificate)
    except MALFORMED as error:
        raise NatsctlError(f"{name}: malformed certificate: {error}") from None
    return found


def parse_all(document: x509.Certificate | x509.CertificateSigningRequest) -> None:
    """Have everything parsed that cryptography would parse only when it is asked for.

    Raises:
        Exception: One of `MALFORMED`.
    """
    list(document.subject), list(document.extensions), document.public_key()
    document.signature_algorithm_oid  # noqa: B018  # asking is what parses it
    if isinstance(document, x509.Certificate):
        list(document.issuer), document.not_valid_before_utc, document.not_valid_after_utc, document.serial_number


def load_certificate(data: bytes, name: str) -> x509.Certificate:
    """Load the first certificate of a file.

    Raises:
        NatsctlError: There is none, or it is malformed.
    """
    return load_certificates(data, name)[0]


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """Write a certificate."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def extensions_of(
    document: x509.Certificate | x509.CertificateSigningRequest,
) -> Iterable[x509.Extension[x509.ExtensionType]]:
    """Give the extensions of a certificate or a CSR.

    Raises:
        NatsctlError: They are malformed.
    """
    try:
        return document.extensions
    except MALFORMED as error:
        raise NatsctlError(f"malformed extensions: {error}") from None


def extension_of(document: x509.Certificate | x509.CertificateSigningRequest, kind: type[T]) -> T | None:
    """Give one extension of a certificate or a CSR; None when it has none of the kind."""
    return next((item.value for item in extensions_of(document) if isinstance(item.value, kind)), None)


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether a certificate may sign others."""
    constraints = extension_of(certificate, x509.BasicConstraints)
    usage = extension_of(certificate, x509.KeyUsage)
    return bool(constraints and constraints.ca) and (usage is None or usage.key_cert_sign)


def path_length(certificate: x509.Certificate) -> int | None:
    """How many CAs may follow this one in a chain; None when it does not matter."""
    constraints = extension_of(certificate, x509.BasicConstraints)
    return constraints.path_length if constraints else None


def signature_name(document: x509.Certificate | x509.CertificateSigningRequest) -> str:
    """Name the signature's algorithm as Go does; one without a name there by its object identifier."""
    oid = document.signature_algorithm_oid
    return _SIGNATURES.get(oid, oid.dotted_string)


def spki_sha256(certificate: x509.Certificate) -> str:
    """Fingerprint the public key in hex, as ``pinned_certs`` has it."""
    key = certificate.public_key()
    digest = hashes.Hash(hashes.SHA256())
    digest.update(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
    return digest.finalize().hex()


@dataclass(frozen=True, slots=True)
class Description:
    """What an operator asks about a certificate.

    Units: times in UTC.
    """

    subject: str
    """As RFC 4514 writes it: ``CN=nats server,O=Example``."""
    common_name: str
    issuer: str
    serial_number: int
    not_before: datetime
    not_after: datetime
    is_ca: bool
    names: tuple[str, ...]
    """Subject alternative names."""
    usages: tuple[str, ...]
    """cfssl's words."""
    key: str
    """``ecdsa-256``."""
    signature: str
    """``ECDSAWithSHA256``."""
    sha256: str
    """Fingerprint of the certificate, in hex."""
    spki_sha256: str
    """Fingerprint of the public key, in hex."""

    @property
    def purpose(self) -> str:
        """What a NATS system uses it for, in a word or two."""
        if self.is_ca:
            return "CA"
        roles = [role for role in ("server", "client") if {f"{role} auth", "any"} & {*self.usages}]
        return " and ".join(roles) or "other"


def describe(certificate: x509.Certificate) -> Description:
    """Describe a certificate.

    Raises:
        NatsctlError: A part of it is malformed, or its key is of a kind that TLS has no use for.
    """
    names = extension_of(certificate, x509.SubjectAlternativeName) or ()
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Description(
        subject=certificate.subject.rfc4514_string(),
        common_name=str(common[-1].value) if common else "",
        issuer=certificate.issuer.rfc4514_string(),
        serial_number=certificate.serial_number,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        is_ca=is_authority(certificate),
        names=tuple(_text(name) for name in names),
        usages=tuple(_usages(certificate)),
        key=str(policy_of(certificate.public_key())),
        signature=signature_name(certificate),
        sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        spki_sha256=spki_sha256(certificate),
    )


def _text(name: x509.GeneralName) -> str:
    return name.value.rfc4514_string() if isinstance(name, x509.DirectoryName) else str(name.value)


def _usages(certificate: x509.Certificate) -> Iterable[str]:
    usage = extension_of(certificate, x509.KeyUsage)
    for bit, word in _USAGE_WORDS.items():
        narrows = bit in ("encipher_only", "decipher_only")  # cryptography refuses to tell without key_agreement
        if usage and (usage.key_agreement or not narrows) and getattr(usage, bit):
            yield word
    extended = extension_of(certificate, x509.ExtendedKeyUsage) or ()
    yield from (_EXTENDED_WORDS.get(oid, oid.dotted_string) for oid in extended)
