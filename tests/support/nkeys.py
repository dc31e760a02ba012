"""Private nkeys as text, which our own code only ever reads."""

from __future__ import annotations

import base64
import binascii

__all__ = ["encode_seed"]

_SEED = 18 << 3


def encode_seed(prefix: int, key: bytes) -> str:
    """Write 32 raw bytes as the seed of a key of the given kind: ``SU…`` for a user's."""
    raw = bytes([_SEED | prefix >> 5, (prefix & 31) << 3]) + key
    return base64.b32encode(raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")).decode().rstrip("=")
