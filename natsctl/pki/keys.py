"""Private keys: which ones are made, how they are written, and how they are loaded.

Source: cfssl ``csr/csr.go`` for algorithms, sizes and PEM forms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from natsctl.config.words import quoted
from natsctl.errors import NatsctlError

__all__ = [
    "DEFAULT_KEY",
    "Hash",
    "KeyPolicy",
    "PrivateKey",
    "PublicKey",
    "key_pem",
    "load_key",
    "policy_of",
    "signature_hash",
]

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
Hash: TypeAlias = hashes.SHA256 | hashes.SHA384 | hashes.SHA512

_MIN_RSA_BITS, _MAX_RSA_BITS = 2048, 8192
_CURVES: dict[int, type[ec.EllipticCurve]] = {256: ec.SECP256R1, 384: ec.SECP384R1, 521: ec.SECP521R1}
_WORD = re.compile(r"(rsa|ecdsa|ed25519)(?:[-:]?(\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class KeyPolicy:
    """Which key to make.

    Units: ``size`` in bits; ed25519 has only one and 0 stands for it.
    """

    algorithm: str = "ecdsa"
    size: int = 256

    def __str__(self) -> str:
        return f"{self.algorithm}-{self.size}" if self.size else self.algorithm

    def check(self) -> None:
        """Refuse what cannot or should not be made.

        Raises:
            NatsctlError: The algorithm is unknown, or the size is not one of its sizes.
        """
        if self.algorithm == "rsa":
            if not _MIN_RSA_BITS <= self.size <= _MAX_RSA_BITS:
                raise NatsctlError(f"rsa keys have {_MIN_RSA_BITS} to {_MAX_RSA_BITS} bits, not {self.size}")
        elif self.algorithm == "ecdsa":
            if self.size not in _CURVES:
                raise NatsctlError(f"ecdsa keys have 256, 384 or 521 bits, not {self.size}")
        elif self.algorithm != "ed25519":
            raise NatsctlError(
                f"unknown key algorithm {quoted(self.algorithm)}", hint="there are rsa, ecdsa and ed25519"
            )
        elif self.size not in (0, 256):
            raise NatsctlError(f"ed25519 keys have 256 bits, not {self.size}")

    def generate(self) -> PrivateKey:
        """Make a key.

        Raises:
            NatsctlError: The policy does not pass `check`.
        """
        self.check()
        if self.algorithm == "rsa":
            return rsa.generate_private_key(public_exponent=65537, key_size=self.size)
        if self.algorithm == "ecdsa":
            return ec.generate_private_key(_CURVES[self.size]())
        return ed25519.Ed25519PrivateKey.generate()

    @classmethod
    def from_word(cls, word: str) -> KeyPolicy:
        """Read ``rsa-2048``, ``ecdsa:384``, ``ecdsa`` or ``ed25519``.

        Raises:
            NatsctlError: It means no key that can be made.
        """
        match = _WORD.fullmatch(word)
        if match is None:
            raise NatsctlError(
                f"unknown kind of key {quoted(word)}", hint="write for example ecdsa-256, rsa-2048 or ed25519"
            )
        default = {"rsa": 2048, "ecdsa": 256, "ed25519": 0}[match[1]]
        policy = cls(match[1], int(match[2]) if match[2] else default)
        policy.check()
        return policy


DEFAULT_KEY = KeyPolicy()
"""What is made when nothing is said, as by cfssl."""


def key_pem(key: PrivateKey) -> bytes:
    """Write a key as Go programs do: PKCS #1 for RSA, SEC 1 for ECDSA, PKCS #8 for Ed25519."""
    is_modern = isinstance(key, ed25519.Ed25519PrivateKey)
    form = serialization.PrivateFormat.PKCS8 if is_modern else serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def load_key(pem: bytes, name: str, password: bytes | None = None) -> PrivateKey:
    """Load a PEM key.

    Args:
        pem: The file's content.
        name: What to call it in errors.
        password: Opens an encrypted key.

    Raises:
        NatsctlError: It is no key, is encrypted, or is of a kind that TLS has no use for.
    """
    try:
        key = serialization.load_pem_private_key(pem, password or None)
    except TypeError:
        if password is None:
            raise NatsctlError(f"{name}: the key is encrypted") from None
        return load_key(pem, name)  # a password was set, but this key needs none
    except (ValueError, UnsupportedAlgorithm):
        reason = "no private key in PEM form" + (", or the password is wrong" if b"ENCRYPTED" in pem else "")
        raise NatsctlError(f"{name}: {reason}") from None
    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        return key
    raise NatsctlError(f"{name}: not an rsa, ecdsa or ed25519 key")


def policy_of(public_key: object) -> KeyPolicy:
    """Tell which policy makes keys like this one.

    Raises:
        NatsctlError: None does.
    """
    if isinstance(public_key, rsa.RSAPublicKey):
        return KeyPolicy("rsa", public_key.key_size)
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return KeyPolicy("ecdsa", public_key.curve.key_size)
    if isinstance(public_key, ed25519.Ed25519PublicKey):
        return KeyPolicy("ed25519", 0)
    raise NatsctlError("not an rsa, ecdsa or ed25519 key")


def signature_hash(key: PrivateKey) -> Hash | None:
    """Choose the hash for signatures of a key by its strength; Ed25519 has its own.

    Source: cfssl ``signer.DefaultSigAlgo``.
    """
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, rsa.RSAPrivateKey):
        strength = 512 if key.key_size >= 4096 else 384 if key.key_size >= 3072 else 256
    else:
        strength = key.curve.key_size
    if strength > 384:
        return hashes.SHA512()
    return hashes.SHA384() if strength == 384 else hashes.SHA256()
