"""Names of cipher suites and curves: what a configuration calls them, and what OpenSSL does.

Source: RFC 8446 and the IANA registry of TLS parameters, ``openssl ciphers -stdname``; which suites count as insecure
is decided by Go's ``crypto/tls`` for nats-server.
"""

from __future__ import annotations

__all__ = [
    "CURVES",
    "INSECURE",
    "SECURE",
    "SUITES",
    "TLS13_SUITES",
    "suite_name",
    "untellable_curves",
    "untellable_suites",
]

TLS13_SUITES = frozenset({"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"})
"""Always offered together: neither OpenSSL through Python nor nats-server can choose among them."""

SECURE = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
}
"""Suites of TLS 1.2 that a configuration may name as it likes, best first."""

INSECURE = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256": "ECDHE-ECDSA-AES128-SHA256",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA": "ECDHE-ECDSA-RC4-SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA": "ECDHE-RSA-DES-CBC3-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256": "ECDHE-RSA-AES128-SHA256",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA": "ECDHE-RSA-RC4-SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA": "DES-CBC3-SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256": "AES128-SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256": "AES128-GCM-SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA": "AES256-SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384": "AES256-GCM-SHA384",
    "TLS_RSA_WITH_RC4_128_SHA": "RC4-SHA",
}
"""Suites of TLS 1.2 that must be allowed first."""

SUITES = SECURE | INSECURE
CURVES = {
    "CurveP256": "prime256v1",
    "CurveP384": "secp384r1",
    "CurveP521": "secp521r1",
    "X25519": "X25519",
    "X25519MLKEM768": "",
    "SecP256r1MLKEM768": "",
    "SecP384r1MLKEM1024": "",
}
"""Curve to OpenSSL's name; empty for those that Python's ``ssl`` has no way to choose."""

_NAMES = {openssl: name for name, openssl in SUITES.items()}


def suite_name(openssl: str) -> str:
    """The registered name of a suite that OpenSSL negotiated."""
    return _NAMES.get(openssl, openssl)


def untellable_suites(names: list[str]) -> str:
    """Say which of these suites OpenSSL cannot be held to; empty when it can to all."""
    import ssl  # only a configuration that chooses suites pays for it

    of_13 = TLS13_SUITES.intersection(names)
    if of_13 and of_13 != TLS13_SUITES:
        listed = ", ".join(sorted(of_13))
        return f"the suites of TLS 1.3 cannot be chosen one by one, all three are offered: leave out {listed}"
    missing = []
    for name in names:
        try:
            if name in SUITES:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ciphers(SUITES[name])
        except ssl.SSLError:
            missing.append(name)
    return f"{ssl.OPENSSL_VERSION.partition('  ')[0]} does not have {', '.join(missing)}" if missing else ""


def untellable_curves(names: list[str]) -> str:
    """Say why OpenSSL cannot be held to these curves; empty when it can."""
    if missing := [name for name in names if not CURVES[name]]:
        return f"{', '.join(missing)} cannot be chosen with this version of Python"
    if len(names) > 1:
        return f"with this version of Python only one curve can be chosen, found {', '.join(names)}"
    return ""
