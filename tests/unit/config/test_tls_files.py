"""Certificates that a configuration names must load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

from natsctl.config import loads
from natsctl.errors import ConfigError
from natsctl.pki.keys import DEFAULT_KEY, key_pem


class Certificate(Protocol):
    """What the fixture gives: two paths."""

    @property
    def certificate(self) -> Path: ...

    @property
    def key(self) -> Path: ...


def messages(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loads(text, environ={})
    return [problem.message for problem in caught.value.problems]


@pytest.mark.parametrize("block", ["gateway { name: g, tls", "websocket { tls", "mqtt { tls"])
def test_a_certificate_with_its_key_is_accepted_everywhere(certificate: Certificate, block: str) -> None:
    text = f"{block} {{ cert_file: '{certificate.certificate}', key_file: '{certificate.key}' }}"
    assert loads(text + "}" * block.count("{")).unavailable


def test_a_certificate_serves_as_authority(certificate: Certificate) -> None:
    tls = loads(f"tls {{ ca_file: '{certificate.certificate}', verify: true }}").options.tls
    assert tls is not None
    assert (tls.ca_file, tls.verify) == (str(certificate.certificate), True)


def test_files_that_do_not_serve_are_named(certificate: Certificate, tmp_path: Path) -> None:
    cert, key, nope = certificate.certificate, certificate.key, tmp_path / "nope.pem"
    assert messages(f"tls {{ cert_file: '{cert}' }}") == ["tls has a cert_file without a key_file"]
    assert messages(f"tls {{ key_file: '{key}' }}") == ["tls has a key_file without a cert_file"]
    (missing,) = messages(f"tls {{ cert_file: '{nope}', key_file: '{key}' }}")
    assert missing == f'open "{nope}": no such file or directory'
    (swapped,) = messages(f"tls {{ cert_file: '{key}', key_file: '{cert}' }}")
    assert swapped == f'no certificate in cert_file "{key}"; it holds a private key: are the files swapped?'
    assert messages(f"tls {{ ca_file: '{key}' }}") == [f'no certificate in ca_file "{key}"']
    assert messages(f"tls {{ ca_file: '{nope}' }}") == [f'open "{nope}": no such file or directory']
    assert messages(f"tls {{ certs: [{{cert_file: '{cert}', key_file: '{nope}'}}] }}") == [
        f'open "{nope}": no such file or directory'
    ]


def test_an_encrypted_key_is_called_so_and_its_place_is_named(certificate: Certificate, tmp_path: Path) -> None:
    locked = tmp_path / "locked.pem"
    locked.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
    with pytest.raises(ConfigError) as caught:
        loads(f"tls {{\n  cert_file: '{certificate.certificate}'\n  key_file: '{locked}'\n}}", file="f", environ={})
    assert str(caught.value).startswith(f'f:2:3: key_file "{locked}" is encrypted')


def test_a_key_of_somebody_else_is_called_so(certificate: Certificate, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(key_pem(DEFAULT_KEY.generate()))
    (problem,) = messages(f"tls {{ cert_file: '{certificate.certificate}', key_file: '{other}' }}")
    assert problem.endswith("the key is that of another certificate")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("min_version: '1.1'", "min_version must be one of '1.2', '1.3', found \"1.1\""),
        ("cipher_suites: []", "cipher_suites must not be empty"),
        ("cipher_suites: [NOPE]", 'each of the entries must be a cipher suite, found "NOPE"'),
        (
            "cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]",
            "insecure cipher suites need allow_insecure_cipher_suites: TLS_RSA_WITH_AES_128_CBC_SHA",
        ),
        ("curve_preferences: [P1]", 'each of the entries must be a curve, found "P1"'),
        ("handshake_first: 5", "handshake_first must be a boolean, auto or a duration, found an integer"),
        (
            "verify_cert_and_check_known_urls: true",
            "verify_cert_and_check_known_urls is for clusters and gateways only",
        ),
        ("cert_store: x", "cert_store must not be set: certificate stores exist only on Windows"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(text: str, expected: str) -> None:
    assert messages(f"tls {{ {text} }}") == [expected]


def test_ssl_is_imported_only_for_certificates() -> None:
    script = """
import sys
from natsctl.config import loads
loads("port: 1, tls { verify: true }")
sys.exit("ssl" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
