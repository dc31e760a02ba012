"""The text form of nkeys: base32 of a prefix byte, 32 key bytes and a checksum.

Source: nkeys specification; CRC-16/XMODEM, little endian.
Shape: 56 characters, the first of which names the kind of key (``U`` user, ``A`` account, ``N`` server, ``X`` curve).
"""

from __future__ import annotations

import base64
import binascii

__all__ = ["CURVE", "SERVER", "USER", "decode_public", "encode_public"]

USER = 20 << 3
SERVER = 13 << 3
CURVE = 23 << 3


def encode_public(prefix: int, key: bytes) -> str:
    """Write 32 raw key bytes as text of the given kind."""
    raw = bytes([prefix]) + key
    return base64.b32encode(raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")).decode().rstrip("=")


def decode_public(prefix: int, text: str) -> bytes:
    """Read the 32 raw key bytes of a key of the given kind.

    Raises:
        ValueError: Not base32, of another length or kind, or the checksum is wrong.
    """
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        raise ValueError("an nkey is 56 characters of base32") from None
    if len(raw) != 35 or raw[0] != prefix:
        raise ValueError("not an nkey of the kind wanted here")
    if binascii.crc_hqx(raw[:-2], 0) != int.from_bytes(raw[-2:], "little"):
        raise ValueError("the checksum of the nkey is wrong")
    return raw[1:-2]
