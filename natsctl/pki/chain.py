"""The certificates that the other side of a TLS connection showed."""

from __future__ import annotations

import ssl
import sys
from typing import Any

__all__ = ["shown_chain"]


def shown_chain(tls: ssl.SSLObject | ssl.SSLSocket) -> tuple[bytes, ...]:
    """Give them as they came, its own certificate first; DER.

    They may be there although the handshake failed.
    """
    if sys.version_info >= (3, 13):
        return tuple(tls.get_unverified_chain())
    inner: Any = tls._sslobj  # type: ignore[union-attr]  # the same before 3.13 gave it a public name
    return tuple(ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in inner.get_unverified_chain() or ())
