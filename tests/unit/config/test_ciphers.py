"""What OpenSSL can be held to, and what stops a start."""

from __future__ import annotations

import ssl

import pytest

from natsctl.config import loads
from natsctl.config.ciphers import INSECURE, SECURE, suite_name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cipher_suites: [TLS_AES_128_GCM_SHA256]", "f:1:7: cipher_suites: the suites of TLS 1.3 cannot be chosen"),
        ("curve_preferences: [X25519, CurveP256]", "f:1:7: curve_preferences: with this version of Python only one"),
        ("curve_preferences: [X25519MLKEM768]", "f:1:7: curve_preferences: X25519MLKEM768 cannot be chosen"),
        ("insecure: true", "f:1:7: insecure: clients verify the server"),
        ("cert_match: x", "f:1:7: cert_match: certificate stores exist only on Windows"),
        (
            "allow_insecure_cipher_suites: true, cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]",
            "f:1:43: cipher_suites: OpenSSL",
        ),
    ],
)
def test_what_openssl_cannot_be_held_to_stops_the_start_by_name(text: str, expected: str) -> None:
    (problem,) = loads(f"tls {{ {text} }}", file="f", environ={}).unavailable
    assert str(problem).startswith(expected)


@pytest.mark.parametrize(
    "suites", [list(SECURE), ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]]
)
def test_what_it_can_be_held_to_is_taken(suites: list[str]) -> None:
    loaded = loads(f"tls {{ cipher_suites: {suites}, curve_preferences: [CurveP384] }}".replace("'", ""), environ={})
    assert loaded.unavailable == ()
    assert loaded.options.tls is not None
    assert loaded.options.tls.cipher_suites == suites


def test_openssl_knows_every_secure_suite_by_its_name() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(":".join(SECURE.values()))
    chosen = [cipher["name"] for cipher in context.get_ciphers() if cipher["protocol"] != "TLSv1.3"]
    assert {suite_name(name) for name in chosen} == SECURE.keys()


def test_no_suite_is_both_secure_and_insecure() -> None:
    assert not SECURE.keys() & INSECURE.keys()
