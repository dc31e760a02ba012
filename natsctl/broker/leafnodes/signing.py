"""Proof of identity to a hub: an nkey, or a credentials file with a user's JWT and seed.

Source: nats-server ``leafnode.go`` (sendLeafConnect); the format of credentials files is that of ``nsc``.
"""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import NamedTuple

from natsctl.config.options import RemoteOptions
from natsctl.errors import AuthError
from natsctl.protocol.nkey import USER, encode_public

__all__ = ["Proof", "prove"]

_MAX_FILE_BYTES = 1 << 20
_BLOCK = re.compile(r"-{3,}[^\n]*-{3,}\s*\n(?P<text>[^\n]+)\n\s*-{3,}[^\n]*-{3,}")
"""The JWT is in the first such block, the seed in the second."""
_SEED_BYTES = 36
_SEED_OF_USER = "SU"


class Proof(NamedTuple):
    """What CONNECT says beside or instead of a password."""

    nkey: str = ""
    jwt: str = ""
    signature: str = ""


def prove(options: RemoteOptions, nonce: str) -> Proof:
    """Sign the nonce of a hub by what is configured; an empty proof when nothing is.

    The file is read each time: credentials are renewed while a broker runs.

    Raises:
        AuthError: The credentials cannot be read; never holds any of them.
    """
    if options.credentials:
        jwt, seed = _read_credentials(options.credentials)
        return Proof("", jwt, _sign(seed, nonce)[1])
    if options.nkey:
        public, signature = _sign(options.nkey, nonce)
        return Proof(public, "", signature)
    return Proof()


def _read_credentials(path: str) -> tuple[str, str]:
    try:
        with Path(path).expanduser().open(encoding="utf-8") as file:
            text = file.read(_MAX_FILE_BYTES)
    except OSError as error:
        raise AuthError(f"credentials {path}: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise AuthError(f"credentials {path}: no text file") from None
    blocks = [block["text"].strip() for block in _BLOCK.finditer(text)]
    if len(blocks) != 2:
        raise AuthError(f"credentials {path}: they lack the JWT of a user, or its seed")
    return blocks[0], blocks[1]


def _sign(seed: str, nonce: str) -> tuple[str, str]:
    """Sign with a user's seed; returns its public key and the signature."""
    from nacl.signing import SigningKey

    try:
        raw = base64.b32decode(seed + "=" * (-len(seed) % 8))
    except (binascii.Error, ValueError):
        raw = b""
    is_whole = len(raw) == _SEED_BYTES and binascii.crc_hqx(raw[:-2], 0) == int.from_bytes(raw[-2:], "little")
    if not is_whole or not seed.startswith(_SEED_OF_USER):
        raise AuthError("the seed is not that of a user")
    key = SigningKey(raw[2:-2])
    signature = base64.urlsafe_b64encode(key.sign(nonce.encode()).signature).rstrip(b"=").decode()
    return encode_public(USER, bytes(key.verify_key)), signature
