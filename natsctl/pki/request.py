"""What a certificate is asked for: cfssl's CSR documents, and the CSRs made from them.

Source: cfssl ``csr/csr.go``.
"""

from __future__ import annotations

import warnings

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from natsctl.errors import ConfigError, NatsctlError, Problem
from natsctl.pki import documents
from natsctl.pki.certificates import MALFORMED, parse_all
from natsctl.pki.keys import DEFAULT_KEY, KeyPolicy, PrivateKey, signature_hash
from natsctl.pki.lifetimes import read_expiry
from natsctl.pki.names import completed, general_names, subject_name

__all__ = [
    "CaEntry",
    "Extension",
    "KeyEntry",
    "NameEntry",
    "Request",
    "Subject",
    "build_csr",
    "csr_pem",
    "load_csr",
    "read_request",
]


class KeyEntry(msgspec.Struct, frozen=True):
    """The key to make."""

    algo: str = ""
    size: int = 0


class NameEntry(msgspec.Struct, frozen=True, rename="upper"):
    """Parts of the subject besides the common name."""

    c: str = ""
    st: str = ""
    l: str = ""  # noqa: E741  # the field's name for a locality
    o: str = ""
    ou: str = ""
    oid: dict[str, str] = {}
    """Dotted object identifiers and their values."""


class CaEntry(msgspec.Struct, frozen=True):
    """What is asked for a CA."""

    expiry: str = ""
    backdate: str = ""
    pathlen: int = 0
    pathlenzero: bool = False

    @property
    def max_path_len(self) -> int | None:
        """How many CAs may follow this one in a chain; None when it does not matter."""
        return self.pathlen if self.pathlen > 0 or (self.pathlen == 0 and self.pathlenzero) else None


class Extension(msgspec.Struct, frozen=True, rename={"id": "Id", "critical": "Critical", "value": "Value"}):
    """An extension that is asked for as it is."""

    id: list[int]
    value: bytes
    critical: bool = False


class Subject(msgspec.Struct, frozen=True):
    """A document that replaces the subject of a CSR, as far as it goes."""

    cn: str = msgspec.field(name="CN", default="")
    names: list[NameEntry] = []

    def over(self, subject: x509.Name) -> x509.Name:
        """Lay this subject over another, which fills what is missing here."""
        return completed(_subject(self.cn, self.names), subject)


class Request(msgspec.Struct, frozen=True):
    """A CSR document.

    Wire: ``{"CN": "nats", "hosts": ["*.example.net"], "key": {"algo": "rsa", "size": 2048}, "names": [{"C": "US"}]}``
    """

    cn: str = msgspec.field(name="CN", default="")
    names: list[NameEntry] = []
    hosts: list[str] = []
    key: KeyEntry | None = None
    ca: CaEntry | None = None
    serialnumber: str = ""
    extensions: list[Extension] = []
    crl_url: str = ""

    @property
    def key_policy(self) -> KeyPolicy:
        """Which key to make."""
        return KeyPolicy(self.key.algo, self.key.size) if self.key else DEFAULT_KEY

    def for_hosts(self, hosts: list[str] | None) -> Request:
        """Ask for other hosts, if there are any."""
        return self if hosts is None else msgspec.structs.replace(self, hosts=hosts)

    def subject(self) -> x509.Name:
        """Make the subject.

        Raises:
            NatsctlError: A part is not what X.509 allows there.
        """
        return _subject(self.cn, self.names, self.serialnumber)


def read_request(data: bytes, file: str) -> tuple[Request, list[Problem]]:
    """Read a CSR document.

    Returns:
        The request, and what is doubtful in the document.

    Raises:
        ConfigError: It is malformed, or a lifetime in it is.
    """
    request, warnings = documents.read(data, Request, file)
    if request.ca:
        if request.ca.pathlen > 0 and request.ca.pathlenzero:
            warnings.append(Problem(f"ca.pathlenzero has no effect beside ca.pathlen {request.ca.pathlen}", file))
        for key in ("expiry", "backdate"):
            try:
                read_expiry(getattr(request.ca, key))
            except ValueError as error:
                raise ConfigError([Problem(f"ca.{key}: {error}", file)]) from None
    return request, warnings


def build_csr(request: Request, key: PrivateKey) -> x509.CertificateSigningRequest:
    """Make a CSR for a request.

    Raises:
        NatsctlError: A name in it is not what X.509 allows.
    """
    builder = x509.CertificateSigningRequestBuilder(request.subject())
    if request.hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(general_names(request.hosts)), critical=False)
    if request.ca:
        builder = builder.add_extension(x509.BasicConstraints(True, request.ca.max_path_len), critical=True)
    for extension in request.extensions:
        try:
            oid = x509.ObjectIdentifier(".".join(map(str, extension.id)))
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, extension.value), extension.critical)
        except ValueError as error:
            raise NatsctlError(f"extension {extension.id}: {error}") from None
    return builder.sign(key, signature_hash(key))


def csr_pem(csr: x509.CertificateSigningRequest) -> bytes:
    """Write a CSR."""
    return csr.public_bytes(serialization.Encoding.PEM)


def load_csr(pem: bytes, name: str) -> x509.CertificateSigningRequest:
    """Load a PEM CSR whose signature is that of its key.

    Raises:
        NatsctlError: It is none, or its signature is wrong.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            csr = x509.load_pem_x509_csr(pem)
            parse_all(csr)
        if csr.is_signature_valid:
            return csr
    except MALFORMED:
        raise NatsctlError(f"{name}: no certificate request in PEM form") from None
    raise NatsctlError(f"{name}: the signature of the certificate request is not that of its key")


def _subject(cn: str, names: list[NameEntry], serialnumber: str = "") -> x509.Name:
    parts = [(key, getattr(entry, key.lower())) for entry in names for key in ("C", "ST", "L", "O", "OU")]
    others = [pair for entry in names for pair in entry.oid.items()]
    return subject_name([*parts, ("CN", cn), ("serialNumber", serialnumber), *others])
