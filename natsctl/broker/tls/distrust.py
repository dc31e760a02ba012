"""Why a certificate was refused, in the words of nats-server's log, and whose it was.

Source: the errors of Go's ``crypto/x509``; nats-server ``client.go`` (doTLSHandshake) for what follows them.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from natsctl.pki.chain import shown_chain

if TYPE_CHECKING:
    from natsctl.pki.presented import PresentedCertificate

__all__ = ["explain"]

_NOT_YET_VALID, _EXPIRED = 9, 10
_UNKNOWN_SIGNER = (2, 18, 19, 20, 21)
_OTHER_NAME, _OTHER_ADDRESS = 62, 64
"""OpenSSL's codes."""


def explain(error: ssl.SSLCertVerificationError, tls: ssl.SSLObject) -> str:
    """Say what is wrong with the certificate that the peer showed."""
    from natsctl.pki.presented import PresentedCertificate  # with a library that only such a peer needs

    try:
        chain = [PresentedCertificate(der) for der in shown_chain(tls)]
        reason = _reason(error, chain, tls.server_hostname or "")
        whose = "; ".join(f"{each.subject} SHA-256: {each.sha256}" for each in chain)
    except ValueError:  # it cannot even be read
        reason, whose = error.verify_message, ""
    return f"tls: failed to verify certificate: x509: {reason}" + (f" ({whose})" if whose else "")


def _reason(error: ssl.SSLCertVerificationError, chain: list[PresentedCertificate], host: str) -> str:
    code, leaf = error.verify_code, chain[0] if chain else None
    if code in _UNKNOWN_SIGNER:
        return "certificate signed by unknown authority"
    if leaf is None:
        return error.verify_message
    if code == _OTHER_ADDRESS and not leaf.ip_addresses:
        return f"cannot validate certificate for {host} because it doesn't contain any IP SANs"
    if code in (_OTHER_NAME, _OTHER_ADDRESS):
        names = leaf.ip_addresses if code == _OTHER_ADDRESS else leaf.dns_names
        if not names:
            return f"certificate is not valid for any names, but wanted to match {host}"
        return f"certificate is valid for {', '.join(names)}, not {host}"
    if code in (_NOT_YET_VALID, _EXPIRED):
        when = next((text for each in chain if (text := _out_of_time(each))), "")
        return f"certificate has expired or is not yet valid: {when}"
    return error.verify_message


def _out_of_time(certificate: PresentedCertificate) -> str:
    now = datetime.now(UTC)
    begin, end = certificate.validity
    if begin <= now <= end:
        return ""
    side, limit = ("after", end) if now > end else ("before", begin)
    return f"current time {now:%Y-%m-%dT%H:%M:%SZ} is {side} {limit:%Y-%m-%dT%H:%M:%SZ}"
