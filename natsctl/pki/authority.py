"""Certificate authorities: made, loaded, renewed, and signing.

Source: cfssl ``initca/initca.go``, ``signer/local/local.go`` and ``selfsign``; Go ``crypto/x509`` for the order of
extensions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from natsctl.config.words import quoted
from natsctl.errors import NatsctlError
from natsctl.pki.certificates import extension_of, extensions_of, is_authority, load_certificate, path_length
from natsctl.pki.keys import PrivateKey, load_key
from natsctl.pki.lifetimes import read_expiry
from natsctl.pki.names import general_names, in_order
from natsctl.pki.profiles import CA_PROFILE, DEFAULT_PROFILE, Profile
from natsctl.pki.request import Request, build_csr
from natsctl.pki.template import Template

__all__ = ["Authority", "self_sign"]

_SELF_SIGNED_FOR = timedelta(days=90)
_DECIDED = frozenset({ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.SUBJECT_ALTERNATIVE_NAME})
"""Extensions of a CSR about which the CA has its own opinion."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA: its certificate and the key that belongs to it."""

    certificate: x509.Certificate
    key: PrivateKey

    @classmethod
    def create(cls, request: Request, key: PrivateKey, now: datetime) -> Authority:
        """Make a CA whose certificate signs itself; its hosts are dropped, as cfssl does.

        Raises:
            NatsctlError: The request names nobody, or a name that X.509 does not allow.
        """
        subject = request.subject()
        if not list(subject):
            raise NatsctlError("a CA needs a name: neither CN nor names say one")
        profile = CA_PROFILE
        if request.ca:
            profile = replace(
                profile,
                expiry=read_expiry(request.ca.expiry) or profile.expiry,
                backdate=read_expiry(request.ca.backdate) or profile.backdate,
                max_path_len=request.ca.max_path_len,
            )
        return cls(Template(subject, key.public_key(), (), profile).sign(key, None, now), key)

    @classmethod
    def load(
        cls, certificate: bytes, key: bytes, *, names: tuple[str, str] = ("CA", "CA key"), password: bytes | None = None
    ) -> Authority:
        """Load a CA from PEM.

        Args:
            certificate: Content of the certificate's file.
            key: Content of the key's file.
            names: What to call the two in errors.
            password: Opens an encrypted key.

        Raises:
            NatsctlError: One is malformed, they do not belong together, or the certificate is not that of a CA.
        """
        loaded = cls(load_certificate(certificate, names[0]), load_key(key, names[1], password))
        if loaded.certificate.public_key() != loaded.key.public_key():
            raise NatsctlError(f"the key {names[1]} does not match the certificate {names[0]}")
        if not is_authority(loaded.certificate):
            raise NatsctlError(f"{names[0]} is not the certificate of a CA")
        return loaded

    def renewed(self, now: datetime) -> Authority:
        """Make the certificate anew with the same key, names and length of life; what it has signed stays valid."""
        old = self.certificate
        length = old.not_valid_after_utc - old.not_valid_before_utc
        profile = replace(CA_PROFILE, expiry=length, max_path_len=path_length(old))
        return replace(self, certificate=Template(old.subject, old.public_key(), (), profile).sign(self.key, None, now))

    def check_time(self, now: datetime) -> None:
        """Refuse to sign outside the CA's own time.

        Raises:
            NatsctlError: It has expired, or is not valid yet.
        """
        begin, end = self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc
        if now >= end:
            hint = "gencert -renewca makes its certificate anew with the same key"
            raise NatsctlError(f"the CA expired at {end:%Y-%m-%d %H:%M:%S} UTC", hint=hint)
        if now < begin:
            hint = "look at the clock of this machine"
            raise NatsctlError(f"the CA is not valid before {begin:%Y-%m-%d %H:%M:%S} UTC", hint=hint)

    def sign(
        self,
        csr: x509.CertificateSigningRequest,
        profile: Profile,
        now: datetime,
        *,
        hosts: Sequence[str] | None = None,
        subject: x509.Name | None = None,
        crl_url: str = "",
    ) -> x509.Certificate:
        """Sign a CSR.

        Args:
            csr: What is asked for.
            profile: How it is signed.
            now: The time.
            hosts: Replace those of the CSR.
            subject: Replaces that of the CSR.
            crl_url: Replaces that of the profile.

        Raises:
            NatsctlError: The CA's time is over, or the profile does not allow what is asked for.
        """
        self.check_time(now)
        names = _requested_names(csr) if hosts is None else general_names(hosts)
        chosen = csr.subject if subject is None else subject
        _check_whitelist(profile, chosen, names)
        self._check_constraints(csr, profile)
        if profile.is_ca:  # as cfssl does, which keeps only addresses
            names = [name for name in names if isinstance(name, x509.IPAddress)]
        if crl_url:
            profile = replace(profile, crl_url=crl_url)
        copied = [item for item in extensions_of(csr) if item.oid not in _DECIDED] if profile.copy_extensions else []
        return Template(chosen, csr.public_key(), names, profile, copied).sign(self.key, self.certificate, now)

    def issue(self, request: Request, key: PrivateKey, profile: Profile, now: datetime) -> x509.Certificate:
        """Make a CSR for a key and sign it."""
        return self.sign(build_csr(request, key), profile, now, crl_url=request.crl_url)

    def _check_constraints(self, csr: x509.CertificateSigningRequest, profile: Profile) -> None:
        wanted = extension_of(csr, x509.BasicConstraints)
        if wanted and wanted.ca and not profile.is_ca:
            raise NatsctlError("the request asks for a CA, which the profile does not make")
        limit = path_length(self.certificate)
        if not profile.is_ca or limit is None:
            return
        if limit == 0:
            raise NatsctlError("the CA may not sign other CAs: its path length is 0")
        if profile.max_path_len is None or profile.max_path_len >= limit:
            found = "none" if profile.max_path_len is None else profile.max_path_len
            raise NatsctlError(f"ca_constraint needs a max_path_len below that of the CA, {limit}; it has {found}")


def self_sign(request: Request, key: PrivateKey, host: str, now: datetime) -> x509.Certificate:
    """Make a certificate that vouches for itself, for 90 days, for trying things out.

    Args:
        request: The subject, and hosts besides the one given.
        key: Signs it.
        host: What it is for.
        now: The time.
    """
    names = general_names(dict.fromkeys([*filter(None, [host]), *request.hosts]))
    profile = replace(DEFAULT_PROFILE, expiry=_SELF_SIGNED_FOR)
    return Template(request.subject(), key.public_key(), names, profile).sign(key, None, now)


def _requested_names(csr: x509.CertificateSigningRequest) -> list[x509.GeneralName]:
    asked = extension_of(csr, x509.SubjectAlternativeName)
    return in_order(asked) if asked else []


def _check_whitelist(profile: Profile, subject: x509.Name, names: Iterable[x509.GeneralName]) -> None:
    if profile.name_whitelist is None:
        return
    texts = [str(item.value) for item in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    texts += [str(name.value) for name in names if isinstance(name, x509.DNSName | x509.RFC822Name)]
    for text in texts:
        if not profile.name_whitelist.search(text):
            raise NatsctlError(f"name {quoted(text)} is not in the name_whitelist of the profile")
