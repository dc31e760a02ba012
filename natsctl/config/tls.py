"""Reads ``tls`` blocks and checks that their certificates load.

Source: nats-server ``server/opts.go``, parseTLS and GenTLSConfig.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from natsctl.config.ciphers import CURVES, INSECURE, SUITES, TLS13_SUITES, untellable_curves, untellable_suites
from natsctl.config.document import Node
from natsctl.config.options import TlsCertificate, TlsOptions
from natsctl.config.readers import boolean, choice, each, integer, seconds, string, string_or_strings
from natsctl.config.schema import Block, Key, Reader, RefusedError, Report, Section
from natsctl.config.words import kind, quoted

__all__ = ["certificate_problems", "outgoing_tls_options", "tls", "tls_options"]

_FIRST = {"true": math.inf, "on": math.inf, "false": 0.0, "off": 0.0, "auto": 0.05, "auto_fallback": 0.05}
_STRANGERS = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
"""How OpenSSL says that a key does not belong to a certificate."""
_MAX_PEM_BYTES = 1 << 20
_WINDOWS_ONLY = "certificate stores exist only on Windows"
_MEANINGLESS = {
    "insecure": "clients verify the server, and the server says nothing about that: leave it out",
    "cert_match": _WINDOWS_ONLY,
    "cert_match_skip_invalid": _WINDOWS_ONLY,
    "ca_certs_match": _WINDOWS_ONLY,
}
"""Keys that nats-server takes and does nothing with, and why a start with them stops here."""
HANDLED = _MEANINGLESS.keys() | {
    *("cert_file", "key_file", "allow_insecure_cipher_suites"),
    *("verify_cert_and_check_known_urls", "cert_store", "cert_match_by"),
}
"""Keys whose effect is not an option of the same name."""
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


def _handshake_first(node: Node, report: Report) -> float:
    if isinstance(node.value, bool):
        return math.inf if node.value else 0.0
    if not isinstance(node.value, str):
        raise RefusedError(f"must be a boolean, auto or a duration, found {kind(node.value)}")
    word = _FIRST.get(node.value.lower())
    return seconds(node, report) if word is None else word


def _windows_only(node: Node, report: Report) -> str:
    string(node, report)
    raise RefusedError(f"must not be set: {_WINDOWS_ONLY}")


def _match(node: Node, report: Report) -> str:
    value = string(node, report)
    if not value:
        raise RefusedError("must not be empty")
    return value


_PAIR = Block(Key("cert_file", string, to="cert_file"), Key("key_file", string, to="key_file"))


def _pair(node: Node, report: Report) -> TlsCertificate:
    pair = TlsCertificate()
    _PAIR(node, report).fill(pair)
    if not (pair.cert_file and pair.key_file):
        raise RefusedError("must have a cert_file and a key_file", node)
    return pair


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
    Key("ca_file", string, to="ca_file"),
    Key("verify", boolean, to="verify"),
    Key("verify_and_map", boolean, to="verify_and_map"),
    Key("verify_cert_and_check_known_urls", boolean),
    Key("insecure", boolean),
    Key(
        "cipher_suites",
        _not_empty(_each_of("a cipher suite", (TLS13_SUITES | SUITES.keys()).__contains__)),
        to="cipher_suites",
    ),
    Key("allow_insecure_cipher_suites", boolean),
    Key("curve_preferences", _not_empty(_each_of("a curve", CURVES.__contains__)), to="curve_preferences"),
    Key("timeout", seconds, to="timeout_s", zero_is_default=True),
    Key("connection_rate_limit", integer, to="connection_rate_limit"),
    Key(
        "pinned_certs",
        _each_of("the hex SHA-256 of a public key", lambda text: bool(_SHA256.fullmatch(text))),
        to="pinned_certs",
    ),
    Key("handshake_first", _handshake_first, ("first", "immediate"), to="handshake_first_s"),
    Key("min_version", choice("1.2", "1.3"), to="min_version"),
    Key("certs", each(_pair, "certificates"), ("certificates",), to="certificates"),
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
        insecure = INSECURE.keys() & section.get("cipher_suites", ())
        if insecure and not section.get("allow_insecure_cipher_suites"):
            names = ", ".join(sorted(insecure))
            report.error(node.place, f"insecure cipher suites need allow_insecure_cipher_suites: {names}")
        if section.get("certs") and section.get("cert_file"):
            report.error(node.place, "cert_file and certs cannot both be set")
        if len(report.errors) == known_errors:
            _check_files(section, report)
        return section

    return read


def tls_options(section: Section, report: Report) -> TlsOptions:
    """Make the options of a port; what OpenSSL cannot be held to must not be left out quietly."""
    return _options(section, report, _MEANINGLESS)


def outgoing_tls_options(section: Section, report: Report) -> TlsOptions:
    """Make the options of connections to other servers, which alone may leave the other side unverified."""
    meaningless = {key: reason for key, reason in _MEANINGLESS.items() if key != "insecure"}
    options = _options(section, report, meaningless)
    options.insecure = bool(section.get("insecure"))
    return options


def _options(section: Section, report: Report, meaningless: dict[str, str]) -> TlsOptions:
    options = TlsOptions()
    section.fill(options)
    if section.get("cert_file"):
        options.certificates = [TlsCertificate(section.get("cert_file"), section.get("key_file", ""))]
    problems = [(key, reason) for key, reason in meaningless.items() if section.get(key)]
    problems += [
        ("cipher_suites", untellable_suites(options.cipher_suites) if options.cipher_suites else ""),
        ("curve_preferences", untellable_curves(options.curve_preferences)),
    ]
    report.unavailable += [section.place_of(key).problem(f"{key}: {problem}") for key, problem in problems if problem]
    return options


def _check_files(section: Section, report: Report) -> None:
    own = TlsCertificate(section.get("cert_file", ""), section.get("key_file", ""))
    if own != TlsCertificate():
        place = section.place_of("cert_file")
        for problem in certificate_problems([own], ""):
            report.error(place, problem)
    for problem in certificate_problems(section.get("certs", []), ""):
        report.error(section.place_of("certs"), problem)
    for problem in certificate_problems([], section.get("ca_file", "")):
        report.error(section.place_of("ca_file"), problem)


def certificate_problems(pairs: list[TlsCertificate], ca_file: str) -> list[str]:
    """Say which of these files cannot be used, and why; never shows what is in them."""
    problems = [_check_pair(pair.cert_file, pair.key_file) for pair in pairs]
    if ca_file:
        problems.append(_check_authorities(ca_file))
    return [problem for problem in problems if problem]


def _check_pair(certificate: str, key: str) -> str:
    """Say why a certificate and its key cannot be used; empty when they can."""
    if not certificate:
        return "tls has a key_file without a cert_file"
    if not key:
        return "tls has a cert_file without a key_file"
    problem = _check_readable(certificate) or _check_readable(key) or _check_content(certificate, key)
    if problem:
        return problem
    import ssl  # only a configuration with certificates pays for it

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or "they cannot be read"
        words = "the key is that of another certificate" if reason in _STRANGERS else _in_words(reason)
        return f"certificate {quoted(certificate)} and key {quoted(key)}: {words}"
    return ""


def _check_content(certificate: str, key: str) -> str:
    """Look for what people mix up, which OpenSSL has no words for."""
    with open(certificate, "rb") as file:
        shown = file.read(_MAX_PEM_BYTES)
    with open(key, "rb") as file:
        secret = file.read(_MAX_PEM_BYTES)
    if b"-----BEGIN CERTIFICATE-----" not in shown:
        swapped = "; it holds a private key: are the files swapped?" if b"PRIVATE KEY-----" in shown else ""
        return f"no certificate in cert_file {quoted(certificate)}{swapped}"
    if b"PRIVATE KEY-----" not in secret:
        return f"no private key in key_file {quoted(key)}"
    if b"ENCRYPTED" in secret:
        return f"key_file {quoted(key)} is encrypted; write it without a passphrase, and let only the server read it"
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
