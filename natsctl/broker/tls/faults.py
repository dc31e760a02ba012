"""Why a handshake failed, in the words of nats-server's log where it has some.

Source: the errors of Go's ``crypto/tls``.
"""

from __future__ import annotations

import ssl

__all__ = ["NOT_TLS", "describe"]

NOT_TLS = "tls: first record does not look like a TLS handshake"

_WORDS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "tls: client didn't provide a certificate",
    "UNSUPPORTED_PROTOCOL": "tls: client offered only unsupported versions",
    "NO_SHARED_CIPHER": "tls: no cipher suite supported by both client and server",
    "TLSV1_ALERT_UNKNOWN_CA": "remote error: tls: unknown certificate authority",
    "SSLV3_ALERT_BAD_CERTIFICATE": "remote error: tls: bad certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "remote error: tls: expired certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "remote error: tls: unknown certificate",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "remote error: tls: handshake failure",
    "TLSV1_ALERT_PROTOCOL_VERSION": "remote error: tls: protocol version not supported",
    "UNEXPECTED_EOF_WHILE_READING": "EOF",
    "WRONG_VERSION_NUMBER": NOT_TLS,
    "PACKET_LENGTH_TOO_LONG": NOT_TLS,
}
"""OpenSSL's reason to the text of Go."""


def describe(error: BaseException) -> str:
    """Say why a handshake failed; never holds bytes of the peer."""
    if isinstance(error, ssl.SSLError):
        reason = error.reason or "handshake failure"
        return _WORDS.get(reason, f"tls: {reason.lower().replace('_', ' ')}")
    return str(error)
