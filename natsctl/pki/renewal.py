"""A certificate once more: the same names, usages and length of life, from now on."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from natsctl.errors import NatsctlError
from natsctl.pki.authority import Authority
from natsctl.pki.certificates import extension_of, extensions_of
from natsctl.pki.keys import policy_of, signature_hash
from natsctl.pki.template import valid_from

__all__ = ["renew"]


def renew(
    old: x509.Certificate,
    authority: Authority,
    public_key: CertificatePublicKeyTypes,
    now: datetime,
    expiry: timedelta | None = None,
) -> x509.Certificate:
    """Sign a certificate again.

    Args:
        old: What it is to be like; all its extensions are taken over but those that name keys.
        authority: Who signs.
        public_key: Its key, new or the old one.
        now: The time.
        expiry: How long it lives; as long as the old one without.

    Raises:
        NatsctlError: The CA's time is over, or the key is one that is not made any more.
    """
    authority.check_time(now)
    policy_of(public_key).check()
    begin = valid_from(now)
    try:
        end = begin + (expiry or old.not_valid_after_utc - old.not_valid_before_utc)
    except OverflowError:
        raise NatsctlError("the certificate would be valid after the year 9999") from None
    builder = x509.CertificateBuilder(
        issuer_name=authority.certificate.subject,
        subject_name=old.subject,
        public_key=public_key,
        serial_number=x509.random_serial_number(),
        not_valid_before=begin,
        not_valid_after=end,
    )
    issuer = extension_of(authority.certificate, x509.SubjectKeyIdentifier)
    for item in extensions_of(old):
        value: x509.ExtensionType = item.value
        if isinstance(value, x509.SubjectKeyIdentifier):
            value = x509.SubjectKeyIdentifier.from_public_key(public_key)
        elif isinstance(value, x509.AuthorityKeyIdentifier):
            if issuer is None:
                continue
            value = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer)
        builder = builder.add_extension(value, item.critical)
    return builder.sign(authority.key, signature_hash(authority.key))
