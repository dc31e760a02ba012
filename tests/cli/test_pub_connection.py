"""Who the shared connection options make a command, and how it is protected on the way."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

Server = Callable[[str], str]

SEED = "SUAKYRHVIOREXV7EUZTBHUHL7NUMHPMAS7QMDU3GTIUWEI5LDNOXD43IZY"
PUBLIC = "UD466L6EBCM3YY5HEGHJANNTN4LSKTSUXTH7RILHCKEQMQHTBNLHJJXT"
USER = "authorization { user: alice, password: 'p@:/ss' }"


def publish(natsctl: Shell, url: str, *options: str, **environment: str) -> int:
    done = natsctl("pub", "x", "y", "-s", url, *options, stdin=b"", **environment)
    assert not any(secret in done.err for secret in ("p@:/ss", "wrong-secret", "SUAK"))
    return done.code


def test_user_and_password_come_from_flags_environment_or_url(natsctl: Shell, start_server: Server) -> None:
    url = start_server(USER)
    assert publish(natsctl, url, "--user", "alice", "--password", "p@:/ss") == 0
    assert publish(natsctl, url, NATS_USER="alice", NATS_PASSWORD="p@:/ss") == 0
    assert publish(natsctl, url, "--user", "alice", NATS_PASSWORD="p@:/ss") == 0
    assert publish(natsctl, url.replace("//", "//alice:p%40%3A%2Fss@")) == 0
    assert publish(natsctl, url) == 5
    assert publish(natsctl, url, "--user", "alice", "--password", "wrong-secret") == 5
    assert publish(natsctl, url, "--user", "alice", "--password", "wrong-secret", NATS_PASSWORD="p@:/ss") == 5
    assert publish(natsctl, url, "--token", "wrong-secret", NATS_USER="alice", NATS_PASSWORD="p@:/ss") == 5


def test_a_user_without_password_is_a_token(natsctl: Shell, start_server: Server) -> None:
    url = start_server("authorization { token: t0k3n }")
    assert publish(natsctl, url, "--token", "t0k3n") == 0
    assert publish(natsctl, url, "--user", "t0k3n") == 0
    assert publish(natsctl, url.replace("//", "//t0k3n@")) == 0
    assert publish(natsctl, url, NATS_USER="t0k3n") == 0
    assert publish(natsctl, url, "--user", "wrong-secret") == 5


def test_an_nkey_signs_the_nonce(natsctl: Shell, start_server: Server, tmp_path: Path) -> None:
    url = start_server(f"authorization {{ users: [{{ nkey: {PUBLIC} }}] }}")
    (tmp_path / "user.nk").write_text(SEED + "\n")
    assert publish(natsctl, url, "--nkey", str(tmp_path / "user.nk")) == 0
    assert publish(natsctl, url, NATS_NKEY=SEED) == 0
    assert publish(natsctl, url) == 5
    assert publish(natsctl, url, "--nkey", SEED[:-1] + "A") == 2
    assert publish(natsctl, url, "--nkey", str(tmp_path / "missing")) == 1


def test_a_file_that_holds_no_credentials_is_refused(natsctl: Shell, tmp_path: Path) -> None:
    (tmp_path / "empty.creds").write_text("nothing here")
    done = natsctl("pub", "x", "y", "--creds", str(tmp_path / "empty.creds"))
    assert done.code == 2
    assert "is no credentials file" in done.err


@pytest.mark.parametrize(
    "address",
    ["http://host", "nats://", "nats://host:99999", "nats://host/path", "nats://u:se,cret@host", "nats://[::1"],
)
def test_an_address_that_cannot_be_meant_is_a_usage_error(natsctl: Shell, address: str) -> None:
    done = natsctl("pub", "x", "y", "-s", address)
    assert done.code == 2
    assert "server address" in done.err
    assert "se" not in done.err.replace("server", "")


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA with a certificate for localhost and 127.0.0.1, and another CA."""
    folder = tmp_path_factory.mktemp("pki")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    for ca in ("ca", "other"):
        openssl("req", "-x509", *key, "-keyout", f"{ca}.key", "-out", f"{ca}.pem", "-subj", f"/CN={ca}")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    openssl("req", "-x509", *key, "-keyout", "host.key", "-out", "host.pem", "-subj", "/CN=host", *signed,
            "-addext", "basicConstraints=critical,CA:FALSE")  # fmt: skip
    return folder


def tls(pki: Path, more: str = "") -> str:
    return f"tls {{ cert_file: '{pki}/host.pem', key_file: '{pki}/host.key', ca_file: '{pki}/ca.pem', {more} }}"


def test_tls_is_spoken_and_the_server_checked(natsctl: Shell, start_server: Server, pki: Path) -> None:
    url = start_server(tls(pki))
    assert publish(natsctl, url, "--tlsca", f"{pki}/ca.pem") == 0
    assert publish(natsctl, url, NATS_CA=f"{pki}/ca.pem") == 0
    untrusted = natsctl("pub", "x", "y", "-s", url, "--tlsca", f"{pki}/other.pem")
    assert untrusted.code == 6
    assert "certificate is not trusted" in untrusted.err
    assert natsctl("rtt", "-s", url.replace("127.0.0.1", "localhost"), "--tlsca", f"{pki}/ca.pem").code == 0


def test_a_client_certificate_is_shown_where_it_is_asked_for(natsctl: Shell, start_server: Server, pki: Path) -> None:
    url = start_server(tls(pki, "verify: true"))
    ca = ("--tlsca", f"{pki}/ca.pem")
    assert publish(natsctl, url, *ca, "--tlscert", f"{pki}/host.pem", "--tlskey", f"{pki}/host.key") == 0
    assert publish(natsctl, url, *ca) == 6
    assert publish(natsctl, f"{url},{natsctl.url}") == 0
    assert publish(natsctl, url, *ca, "--tlscert", f"{pki}/host.pem") == 2
    assert publish(natsctl, url, *ca, "--tlscert", f"{pki}/host.pem", "--tlskey", f"{pki}/other.key") == 2
    assert publish(natsctl, url, "--tlsca", f"{pki}/host.key") == 2


def test_tls_can_come_first(natsctl: Shell, start_server: Server, pki: Path) -> None:
    url = start_server(tls(pki, "handshake_first: true"))
    assert publish(natsctl, url, "--tlsca", f"{pki}/ca.pem", "--tlsfirst") == 0


def test_tls_that_was_asked_for_is_never_given_up(natsctl: Shell, start_server: Server, pki: Path) -> None:
    plain = natsctl("pub", "x", "y", "-s", natsctl.url.replace("nats:", "tls:"), "--user", "u", "--password", "p")
    assert plain.code == 6
    assert "secure connection not available" in plain.err
    either = start_server(tls(pki) + "\nallow_non_tls: true")
    assert publish(natsctl, either) == 0
    assert publish(natsctl, either.replace("nats:", "tls:"), "--tlsca", f"{pki}/ca.pem") == 0
    assert publish(natsctl, either.replace("nats:", "tls:"), "--tlsca", f"{pki}/other.pem") == 6


def test_a_server_that_stays_silent_is_given_up_in_time(natsctl: Shell) -> None:

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = natsctl("pub", "x", "y", "-s", f"127.0.0.1:{port}", "--timeout", "300ms")
    assert done.code == 6
    assert "no answer in time" in done.err


def test_the_server_lists_the_command_by_name(natsctl: Shell, start_server: Server) -> None:
    accounts = "accounts { SYS { users: [{ user: s, password: s }] }, A { users: [{ user: a, password: a }] } }"
    url = start_server(f"{accounts}\nsystem_account: SYS")
    natsctl.start("sub", "x", "-s", url, "--user", "a", "--password", "a", until="Subscribed")
    ping = ("request", "$SYS.REQ.SERVER.PING.CONNZ", '{"auth":true}', "-s", url, "--user", "s", "--password", "s")
    assert b'"name":"natsctl sub"' in natsctl(*ping, "--raw").out.replace(b'": "', b'":"')


@contextlib.contextmanager
def full_server() -> Iterator[str]:
    """Refuse everybody as a server does that has too many clients, but wait until they have read it."""

    class Refusal(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            info = b'INFO {"server_id":"FULL","version":"2.15.1","proto":1,"max_payload":1048576,"headers":true}'
            with contextlib.suppress(ConnectionError):
                self.request.sendall(info + b" \r\n-ERR 'maximum connections exceeded'\r\n")
                while self.request.recv(4096):
                    pass

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Refusal) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"nats://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize("command", [("pub", "x", "y"), ("bench", "x")], ids=lambda command: command[0])
def test_a_server_that_is_full_is_not_said_to_be_absent(natsctl: Shell, command: tuple[str, ...]) -> None:
    with full_server() as url:
        done = natsctl(*command, "-s", url)
    assert done.code == 6
    assert f"cannot connect to {url} (maximum connections exceeded)" in done.err
    assert "hint" not in done.err
