"""From a profile to a certificate: the extensions, the times, the signature.

Source: cfssl ``signer.FillTemplate``; Go ``crypto/x509`` for the order of extensions and which are critical.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import AuthorityInformationAccessOID

from natsctl.config.words import quoted
from natsctl.errors import NatsctlError
from natsctl.pki.certificates import extension_of
from natsctl.pki.keys import PrivateKey, policy_of, signature_hash
from natsctl.pki.profiles import BACKDATE, Profile
from natsctl.pki.usages import extended_usages, key_usage

__all__ = ["Template", "valid_from"]

_LAST_MOMENT = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""No certificate can name a later time."""

_Extension = tuple[x509.ExtensionType, bool]
"""An extension, and whether it is critical."""


@dataclass(frozen=True, slots=True)
class Template:
    """A certificate before it is signed."""

    subject: x509.Name
    public_key: CertificatePublicKeyTypes
    names: Sequence[x509.GeneralName]
    profile: Profile
    copied: Iterable[x509.Extension[x509.ExtensionType]] = ()
    """Extensions taken over from a CSR."""

    def sign(self, key: PrivateKey, issuer: x509.Certificate | None, now: datetime) -> x509.Certificate:
        """Sign with the issuer's key; without an issuer the certificate vouches for itself.

        Raises:
            NatsctlError: It would never be valid, or its key or a value is not what X.509 allows.
        """
        policy_of(self.public_key).check()
        not_before, not_after = self._times(now)
        builder = x509.CertificateBuilder(
            issuer_name=issuer.subject if issuer else self.subject,
            subject_name=self.subject,
            public_key=self.public_key,
            serial_number=x509.random_serial_number(),
            not_valid_before=not_before,
            not_valid_after=not_after,
        )
        try:
            for extension, is_critical in self._extensions(issuer):
                builder = builder.add_extension(extension, is_critical)
            return builder.sign(key, signature_hash(key))
        except ValueError as error:
            raise NatsctlError(f"the profile asks for what X.509 does not allow: {error}") from None

    def _times(self, now: datetime) -> tuple[datetime, datetime]:
        profile = self.profile
        try:
            not_before = profile.not_before or valid_from(now, profile.backdate)
            not_after = profile.not_after or not_before + (profile.expiry or timedelta())
        except OverflowError:
            raise NatsctlError("the certificate would be valid before the year 1 or after the year 9999") from None
        if not_after > _LAST_MOMENT or not_before.year < 1950:
            raise NatsctlError("the certificate would be valid before the year 1950 or after the year 9999")
        if not_after <= max(not_before, now):
            raise NatsctlError(f"the certificate would have expired already, at {not_after:%Y-%m-%d %H:%M:%S} UTC")
        return not_before, not_after

    def _extensions(self, issuer: x509.Certificate | None) -> Iterator[_Extension]:
        """Give the extensions in Go's order."""
        profile = self.profile
        if usage := key_usage(profile.usages):
            yield usage, True
        if extended := extended_usages(profile.usages):
            yield extended, False
        yield x509.BasicConstraints(profile.is_ca, profile.max_path_len if profile.is_ca else None), True
        yield x509.SubjectKeyIdentifier.from_public_key(self.public_key), False
        identifier = extension_of(issuer, x509.SubjectKeyIdentifier) if issuer else None
        if identifier:
            yield x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False
        yield from self._issuer_access()
        if self.names:
            yield x509.SubjectAlternativeName(self.names), not list(self.subject)
        if profile.crl_url:
            point = x509.DistributionPoint([_uri(profile.crl_url)], None, None, None)
            yield x509.CRLDistributionPoints([point]), False
        yield from ((item.value, item.critical) for item in self.copied)
        if profile.policies:
            yield x509.CertificatePolicies(profile.policies), False
        if profile.ocsp_no_check:
            yield x509.OCSPNoCheck(), False

    def _issuer_access(self) -> Iterator[_Extension]:
        profile = self.profile
        places = [(AuthorityInformationAccessOID.OCSP, url) for url in (profile.ocsp_url,) if url]
        places += [(AuthorityInformationAccessOID.CA_ISSUERS, url) for url in profile.issuer_urls]
        if places:
            yield x509.AuthorityInformationAccess(x509.AccessDescription(oid, _uri(url)) for oid, url in places), False


def valid_from(now: datetime, backdate: timedelta = BACKDATE) -> datetime:
    """Give the begin of a certificate's life: the nearest minute, less an allowance for clocks that are behind."""
    return (now + timedelta(seconds=30)).replace(second=0, microsecond=0) - backdate


def _uri(url: str) -> x509.UniformResourceIdentifier:
    try:
        return x509.UniformResourceIdentifier(url)
    except ValueError:
        raise NatsctlError(f"URL {quoted(url)} is not ASCII") from None
