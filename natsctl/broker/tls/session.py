"""What is known of an encrypted connection."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, replace
from typing import Self

from natsctl.config.ciphers import suite_name
from natsctl.pki.chain import shown_chain

__all__ = ["TlsSession"]


@dataclass(frozen=True, slots=True)
class TlsSession:
    """How a connection is encrypted, and what the client showed of itself.

    Attributes:
        version: ``1.3`` or ``1.2``.
        suite: Registered name of the cipher suite.
        is_first: Whether TLS began before INFO.
        certificates: What the client showed, DER, its own certificate first; empty when it was not asked.
    """

    version: str
    suite: str
    is_first: bool
    certificates: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, tls: ssl.SSLObject, is_first: bool) -> Self:
        """Ask OpenSSL after a handshake."""
        cipher = tls.cipher()
        version = (tls.version() or "").removeprefix("TLSv")
        return cls(version, suite_name(cipher[0]) if cipher else "", is_first, shown_chain(tls))

    @property
    def public_key_sha256(self) -> str:
        """Hex digest of the client's public key; empty when there is none to be had."""
        if not self.certificates:
            return ""
        from natsctl.pki.presented import PresentedCertificate  # with a library that only pins need

        try:
            return PresentedCertificate(self.certificates[0]).public_key_sha256
        except ValueError:
            return ""

    def without_certificates(self) -> TlsSession:
        """What stays of it when the connection has ended."""
        return replace(self, certificates=())
