"""Reads ``tls`` blocks and checks that their certificates load.

Source: nats-server ``server/opts.go``, parseTLS and GenTLSConfig.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from natsctl.config.document import Node
from natsctl.config.readers import boolean, choice, each, integer, seconds, string, string_or_strings
from natsctl.config.schema import Block, Key, Reader, RefusedError, Report, Section
from natsctl.config.words import kind, quoted

__all__ = ["tls"]

_SECURE_CIPHERS = frozenset(
    {
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    }
)
_INSECURE_CIPHERS = frozenset(
    {
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
        "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
        "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
        "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        "TLS_RSA_WITH_AES_128_CBC_SHA256",
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_256_CBC_SHA",
        "TLS_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_RSA_WITH_RC4_128_SHA",
    }
)
_CURVES = frozenset(
    {"CurveP256", "CurveP384", "CurveP521", "X25519"} | {"X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024"}
)
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def _each_of(what: str, is_known: Callable[[str], bool]) -> Reader:
    """Make a reader of arrays of known names."""

    def read_one(node: Node, report: Report) -> str:
        name = string(node, report)
        if not is_known(name):
            raise RefusedError(f"must be {what}, found {quoted(name)}", node)
        return name

    return each(read_one, "entries")


def _not_empty(reader: Reader) -> Reader:
    def read(node: Node, report: Report) -> list[str]:
        found: list[str] = reader(node, report)
        if node.value == []:
            raise RefusedError("must not be empty")
        return found

    return read


def _handshake_first(node: Node, report: Report) -> object:
    if isinstance(node.value, bool):
        return node.value
    if not isinstance(node.value, str):
        raise RefusedError(f"must be a boolean, auto or a duration, found {kind(node.value)}")
    if node.value.lower() in ("true", "on", "false", "off", "auto", "auto_fallback"):
        return node.value
    return seconds(node, report)


def _windows_only(node: Node, report: Report) -> str:
    string(node, report)
    raise RefusedError("must not be set: certificate stores exist only on Windows")


def _match(node: Node, report: Report) -> str:
    value = string(node, report)
    if not value:
        raise RefusedError("must not be empty")
    return value


_PAIR = Block(Key("cert_file", string), Key("key_file", string))


def _pair(node: Node, report: Report) -> Section:
    section = _PAIR(node, report)
    if not (section.get("cert_file") and section.get("key_file")):
        raise RefusedError("must have a cert_file and a key_file", node)
    return section


_OCSP_PEER = Block(
    Key("verify", boolean),
    Key("ca_timeout", seconds),
    Key("allowed_clockskew", seconds),
    Key("warn_only", boolean),
    Key("unknown_is_good", boolean),
    Key("allow_when_ca_unreachable", boolean),
    Key("cache_ttl_when_next_update_unset", seconds),
)


def _ocsp_peer(node: Node, report: Report) -> object:
    return node.value if isinstance(node.value, bool) else _OCSP_PEER(node, report)


_TLS = Block(
    Key("cert_file", string),
    Key("key_file", string),
    Key("ca_file", string),
    Key("verify", boolean),
    Key("verify_and_map", boolean),
    Key("verify_cert_and_check_known_urls", boolean),
    Key("insecure", boolean),
    Key("cipher_suites", _not_empty(_each_of("a cipher suite", (_SECURE_CIPHERS | _INSECURE_CIPHERS).__contains__))),
    Key("allow_insecure_cipher_suites", boolean),
    Key("curve_preferences", _not_empty(_each_of("a curve", _CURVES.__contains__))),
    Key("timeout", seconds),
    Key("connection_rate_limit", integer),
    Key("pinned_certs", _each_of("the hex SHA-256 of a public key", lambda text: bool(_SHA256.fullmatch(text)))),
    Key("handshake_first", _handshake_first, ("first", "immediate")),
    Key("min_version", choice("1.2", "1.3")),
    Key("certs", each(_pair, "certificates"), ("certificates",)),
    Key("cert_store", _windows_only),
    Key("cert_match_by", _windows_only),
    Key("cert_match", _match),
    Key("cert_match_skip_invalid", boolean),
    Key("ca_certs_match", string_or_strings),
    Key("ocsp_peer", _ocsp_peer),
)


def tls(*, knows_urls: bool = False) -> Reader:
    """Make the reader of a ``tls`` block.

    Args:
        knows_urls: The peers are servers whose URLs are configured, so that certificates can be checked for them.
    """

    def read(node: Node, report: Report) -> Section:
        known_errors = len(report.errors)
        section = _TLS(node, report)
        if "verify_cert_and_check_known_urls" in section and not knows_urls:
            place = section.place_of("verify_cert_and_check_known_urls")
            report.error(place, "verify_cert_and_check_known_urls is for clusters and gateways only")
        insecure = _INSECURE_CIPHERS.intersection(section.get("cipher_suites", ()))
        if insecure and not section.get("allow_insecure_cipher_suites"):
            names = ", ".join(sorted(insecure))
            report.error(node.place, f"insecure cipher suites need allow_insecure_cipher_suites: {names}")
        if section.get("certs") and section.get("cert_file"):
            report.error(node.place, "cert_file and certs cannot both be set")
        if len(report.errors) == known_errors:
            _check_files(section, report)
        return section

    return read


def _check_files(section: Section, report: Report) -> None:
    pairs = [(section.get("cert_file", ""), section.get("key_file", ""))]
    pairs += [(pair.get("cert_file"), pair.get("key_file")) for pair in section.get("certs", [])]
    problems = [_check_pair(certificate, key) for certificate, key in pairs if certificate or key]
    if section.get("ca_file"):
        problems.append(_check_authorities(section.get("ca_file")))
    for problem in filter(None, problems):
        report.error(section.place, problem)


def _check_pair(certificate: str, key: str) -> str:
    """Say why a certificate and its key cannot be used; empty when they can."""
    if not certificate:
        return "tls has a key_file without a cert_file"
    if not key:
        return "tls has a cert_file without a key_file"
    import ssl  # only a configuration with certificates pays for it

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for path in (certificate, key):
        problem = _check_readable(path)
        if problem:
            return problem
    try:
        context.load_cert_chain(certificate, key, password="")  # an encrypted key is an error, not a question
    except (ssl.SSLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or "not a certificate and its private key"
        return f"certificate {quoted(certificate)} and key {quoted(key)}: {_in_words(reason)}"
    return ""


def _check_authorities(path: str) -> str:
    import ssl

    problem = _check_readable(path)
    if problem:
        return problem
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except (ssl.SSLError, OSError, ValueError):
        return f"no certificate in ca_file {quoted(path)}"
    return ""


def _check_readable(path: str) -> str:
    try:
        with open(path, "rb") as file:
            file.read(1)
    except (OSError, ValueError) as error:
        return f"open {quoted(path)}: {_in_words(getattr(error, 'strerror', None) or str(error))}"
    return ""


def _in_words(reason: str) -> str:
    return reason.replace("_", " ").lower()
