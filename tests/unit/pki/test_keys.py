"""Keys: which are made, how they are written, and which are refused."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import x25519

from natsctl.errors import NatsctlError
from natsctl.pki.keys import KeyPolicy, key_pem, load_key, policy_of, signature_hash

MADE = [
    ("rsa-2048", b"-----BEGIN RSA PRIVATE KEY-----", "sha256"),
    ("rsa-3072", b"-----BEGIN RSA PRIVATE KEY-----", "sha384"),
    ("ecdsa-256", b"-----BEGIN EC PRIVATE KEY-----", "sha256"),
    ("ecdsa-384", b"-----BEGIN EC PRIVATE KEY-----", "sha384"),
    ("ecdsa-521", b"-----BEGIN EC PRIVATE KEY-----", "sha512"),
    ("ed25519", b"-----BEGIN PRIVATE KEY-----", None),
]


@pytest.mark.parametrize(("word", "begin", "digest"), MADE, ids=[row[0] for row in MADE])
def test_a_key_is_written_as_go_does_loaded_again_and_signs_by_its_strength(
    word: str, begin: bytes, digest: str | None
) -> None:
    key = KeyPolicy.from_word(word).generate()
    pem = key_pem(key)
    assert pem.startswith(begin)
    loaded = load_key(pem, "key.pem")
    assert str(policy_of(loaded.public_key())) == word
    chosen = signature_hash(loaded)
    assert (chosen and chosen.name) == digest


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (KeyPolicy("rsa", 1024), "rsa keys have 2048 to 8192 bits, not 1024"),
        (KeyPolicy("rsa", 16384), "rsa keys have 2048 to 8192 bits, not 16384"),
        (KeyPolicy("rsa", -1), "rsa keys have 2048 to 8192 bits, not -1"),
        (KeyPolicy("ecdsa", 255), "ecdsa keys have 256, 384 or 521 bits, not 255"),
        (KeyPolicy("dsa", 2048), 'unknown key algorithm "dsa"'),
        (KeyPolicy("", 0), 'unknown key algorithm ""'),
        (KeyPolicy("ed25519", 512), "ed25519 keys have 256 bits, not 512"),
    ],
)
def test_a_key_nobody_should_make_is_refused_with_its_limits(policy: KeyPolicy, message: str) -> None:
    with pytest.raises(NatsctlError) as refused:
        policy.generate()
    assert str(refused.value) == message


@pytest.mark.parametrize("word", ["rsa", "rsa:4096", "ecdsa", "ed25519"])
def test_a_kind_of_key_is_read_from_a_word(word: str) -> None:
    assert word.partition(":")[0] in str(KeyPolicy.from_word(word))


@pytest.mark.parametrize("word", ["", "dsa", "rsa-1", "rsa-99999999999", "ecdsa--256"])
def test_a_word_that_means_no_key_is_refused(word: str) -> None:
    with pytest.raises(NatsctlError):
        KeyPolicy.from_word(word)


def test_an_encrypted_key_needs_its_password() -> None:
    key = KeyPolicy().generate()
    closed = serialization.BestAvailableEncryption(b"right")
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, closed)
    with pytest.raises(NatsctlError, match=r"k\.pem: the key is encrypted"):
        load_key(pem, "k.pem")
    with pytest.raises(NatsctlError, match="or the password is wrong"):
        load_key(pem, "k.pem", b"wrong")
    assert load_key(pem, "k.pem", b"right").public_key() == key.public_key()
    assert load_key(key_pem(key), "k.pem", b"not needed").public_key() == key.public_key()


def test_what_is_no_key_for_tls_is_refused_by_name() -> None:
    other = x25519.X25519PrivateKey.generate()
    pem = other.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(NatsctlError, match=r"k\.pem: not an rsa, ecdsa or ed25519 key"):
        load_key(pem, "k.pem")
    with pytest.raises(NatsctlError, match=r"k\.pem: no private key in PEM form"):
        load_key(b"nonsense", "k.pem")
