"""Every command over TLS, before our own server that demands a certificate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.support.process import NATSCTL, ServerProcess, running_server
from tests.support.tls import Pki


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def strict(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    config = pki.block("verify: true, handshake_first: auto") + 'https: "127.0.0.1:-1"'
    with running_server(NATSCTL, tmp_path_factory.mktemp("strict"), config) as server:
        yield server


@pytest.fixture(scope="module")
def flags(pki: Pki, strict: ServerProcess) -> tuple[str, ...]:
    """What a command is given to get in."""
    own = pki.issue("client")
    files = ("--tlsca", str(pki.ca), "--tlscert", str(own.certificate), "--tlskey", str(own.key))
    return ("-s", f"tls://127.0.0.1:{strict.port}", *files)


@pytest.mark.parametrize("first", [(), ("--tlsfirst",)], ids=["info first", "tls first"])
def test_messages_and_requests_go_encrypted(natsctl: Shell, flags: tuple[str, ...], first: tuple[str, ...]) -> None:
    listening = natsctl.start("sub", "greetings", "--count", "1", *flags, *first, until="Subscribed")
    assert natsctl("pub", "greetings", "hello", *flags, *first).code == 0
    assert b"hello" in listening.finish().out
    answering = natsctl.start("reply", "tea", "teatea", "--count", "1", *flags, *first, until="Answering")
    assert b"teatea" in natsctl("request", "tea", "please", *flags, *first).out
    assert answering.finish().code == 0
    assert natsctl("rtt", *flags, *first).code == 0
    assert natsctl("bench", "-np", "1", "-ns", "1", "-n", "1000", *flags, *first, "x").code == 0


def test_who_has_no_certificate_is_told_so(natsctl: Shell, flags: tuple[str, ...]) -> None:
    done = natsctl("pub", "x", "y", *flags[:4])
    assert done.code == 6
    assert "the server demands a client certificate" in done.err


def test_monitoring_is_read_over_https(natsctl: Shell, strict: ServerProcess, pki: Pki) -> None:
    port = strict.log().partition("https monitor on 127.0.0.1:")[2].partition("\n")[0]
    shown = natsctl("top", "--once", "-ms", port, "--tlsca", str(pki.ca))
    assert shown.code == 0, shown.err
    refused = natsctl("top", "--once", "-ms", port)
    assert refused.code == 6
    assert "is not trusted" in refused.err


def test_a_file_that_is_not_there_is_named(tmp_path: Path, natsctl: Shell, flags: tuple[str, ...]) -> None:
    missing = tmp_path / "nope.pem"
    done = natsctl("pub", "x", "y", *flags[:2], "--tlsca", str(missing))
    assert done.code != 0
    assert str(missing) in done.err
