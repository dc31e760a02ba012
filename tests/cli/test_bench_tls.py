"""``natsctl bench`` over TLS."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

Server = Callable[[str], str]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA, and a host certificate for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("pki")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    signs = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")  # Python 3.13 wants it said
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca", *signs)
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "subjectAltName=IP:127.0.0.1")
    leaf = ("-addext", "basicConstraints=critical,CA:FALSE")
    openssl("req", "-x509", *key, "-keyout", "host.key", "-out", "host.pem", "-subj", "/CN=host", *signed, *leaf)
    return folder


def config(pki: Path, more: str = "") -> str:
    return f"tls {{ cert_file: '{pki}/host.pem', key_file: '{pki}/host.key', ca_file: '{pki}/ca.pem', {more} }}"


@pytest.mark.parametrize("size", ["16", "50000"])
def test_every_message_passes_through_tls(natsctl: Shell, start_server: Server, pki: Path, size: str) -> None:
    url = start_server(config(pki))
    flags = ("-np", "2", "-ns", "2", "-n", "4000", "-ms", size, "-json", "-tlsca", f"{pki}/ca.pem")
    done = natsctl("bench", "-s", url, *flags, "hi")
    assert done.code == 0, done.err
    assert json.loads(done.out)["accounting"]["delivered"] == 8000


def test_a_client_certificate_is_shown_and_tls_may_come_first(natsctl: Shell, start_server: Server, pki: Path) -> None:
    url = start_server(config(pki, "verify: true, handshake_first: true"))
    mine = ("-tlsca", f"{pki}/ca.pem", "-tlscert", f"{pki}/host.pem", "-tlskey", f"{pki}/host.key")
    assert natsctl("bench", "-n", "100", "-s", url, *mine, "-tlsfirst", "hi").code == 0


def test_a_server_that_is_not_trusted_is_refused(natsctl: Shell, start_server: Server, pki: Path) -> None:
    done = natsctl("bench", "-n", "100", "-s", start_server(config(pki)), "hi")
    assert done.code == 6
    assert "its certificate is not trusted" in done.err


def test_tls_that_was_asked_for_is_never_given_up(natsctl: Shell) -> None:
    done = natsctl("bench", "-n", "100", "-s", natsctl.url.replace("nats:", "tls:"), "hi")
    assert done.code == 6
