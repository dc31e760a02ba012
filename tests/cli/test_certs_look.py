"""What there is, whether peers accept it, for how long, and once more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from natsctl.pki.certificates import certificate_pem, spki_sha256
from tests.support.certs import Certs, make_authority, make_leaf, read_certificate, write_pair


@pytest.fixture
def certs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Certs:
    """natsctl certs in a folder with a CA, two servers, and a configuration of one."""
    monkeypatch.chdir(tmp_path)
    now = datetime.now(UTC)
    ca = make_authority(now)
    write_pair(ca, tmp_path / "ca.pem")
    write_pair(make_leaf(ca, "a.example.net", now=now, expiry=timedelta(days=100), cn="a"), tmp_path / "a.pem")
    write_pair(make_leaf(ca, "127.0.0.1", now=now, expiry=timedelta(days=5), cn="b"), tmp_path / "b.pem")
    tls = "tls { cert_file: a.pem, key_file: a-key.pem, ca_file: ca.pem }"
    (tmp_path / "nats.conf").write_text(f"{tls}\ncluster {{ port: 6222, routes: [nats://10.0.0.1:6222]\n {tls} }}\n")
    return Certs(capsys, monkeypatch)


def test_a_directory_lists_its_certificates_and_no_keys(certs: Certs) -> None:
    listed = certs("ls")
    assert listed.code == 0
    lines = listed.out.splitlines()
    assert [line.split()[0] for line in lines] == ["File", "a.pem", "b.pem", "ca.pem"]
    assert "(in 99d)" in lines[1]
    assert [row["purpose"] for row in certs("ls", "--json").json] == ["server", "server", "CA"]


def test_a_configuration_lists_what_it_names_and_where(certs: Certs) -> None:
    rows = certs("ls", "nats.conf", "--json").json
    assert [(row["file"], row["part"]) for row in rows] == [
        ("a.pem", "tls"),
        ("ca.pem", "tls"),
        ("a.pem", "cluster.tls"),
        ("ca.pem", "cluster.tls"),
    ]


def test_everything_of_a_certificate_is_shown(certs: Certs, tmp_path: Path) -> None:
    shown = certs("info", "a.pem").out
    assert "subject:       CN=a\n" in shown
    assert "names:         a.example.net\n" in shown
    assert f"spki sha256:   {spki_sha256(read_certificate(tmp_path / 'a.pem'))}\n" in shown


def test_a_file_without_certificate_is_an_error_only_when_it_is_named(certs: Certs) -> None:
    refused = certs("ls", "a-key.pem")
    assert (refused.code, "a-key.pem: no certificate in PEM form" in refused.err) == (1, True)
    assert certs("ls", "missing").code == 1


def test_control_characters_in_a_certificate_do_not_reach_the_terminal(certs: Certs, tmp_path: Path) -> None:
    ca = make_authority(datetime.now(UTC), name="\x1b[31mred")
    (tmp_path / "ca.pem").write_bytes(certificate_pem(ca.certificate))
    for command in ("ls", "info", "verify"):
        assert "\x1b" not in certs(command, "ca.pem").out


def test_peers_accept_what_is_good(certs: Certs) -> None:
    accepted = certs("verify")
    assert (accepted.code, accepted.out) == (0, "a.pem: ok\nb.pem: ok\nca.pem: ok\n")


def test_a_refusal_has_its_reason_its_cure_and_its_exit_code(certs: Certs) -> None:
    refused = certs("verify", "a.pem", "--host", "127.0.0.1", "--purpose", "client")
    assert refused.code == 11
    assert refused.out.splitlines() == [
        "a.pem: refused",
        '  a client certificate needs the usage "client auth"; sign it with a profile that has it',
        '  it doesn\'t contain any IP SANs, and so not 127.0.0.1; sign it with "127.0.0.1" among the hosts',
    ]
    assert "natsctl: 1 of 1 certificates would be refused" in refused.err


def test_a_configuration_is_checked_for_what_it_uses_certificates_for(certs: Certs) -> None:
    first, second = certs("verify", "nats.conf", "--json").json
    assert (first["part"], first["accepted"]) == ("tls", True)
    assert (second["part"], second["accepted"]) == ("cluster.tls", False)
    assert second["objections"][0]["message"] == 'a route certificate needs the usage "client auth"'
    assert second["doubts"][0]["message"] == "routes go to 10.0.0.1, which this certificate is not for"


def test_a_key_of_another_certificate_is_noticed(certs: Certs, tmp_path: Path) -> None:
    shutil.copy(tmp_path / "b-key.pem", tmp_path / "a-key.pem")
    assert "the key does not match the certificate" in certs("verify", "a.pem").out


def test_without_a_ca_it_is_asked_for(certs: Certs, tmp_path: Path) -> None:
    place = tmp_path / "x" / "y"
    place.mkdir(parents=True)
    shutil.copy(tmp_path / "a.pem", place / "a.pem")
    refused = certs("verify", place)
    assert (refused.code, "name the CA's file with --ca" in refused.err) == (1, True)
    assert certs("verify", place, "--ca", "ca.pem").code == 0
    assert certs("verify", "a.pem", "--purpose", "sever").code == 2


def test_expiry_is_silent_until_something_ends(certs: Certs) -> None:
    assert certs("expiry", "--within", "4d") == certs("expiry", "a.pem")
    quiet = certs("expiry", "--within", "4d")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    found = certs("expiry", "--within", "1w")
    assert found.code == 11
    assert [line.split()[0] for line in found.out.splitlines()] == ["File", "b.pem"]
    assert "natsctl: 1 of 3 certificates ends within 7d" in found.err
    assert certs("expiry", "missing.pem").code == 1
    assert certs("expiry", "--within", "soon").code == 2


def test_what_has_ended_says_since_when(certs: Certs, tmp_path: Path) -> None:
    then = datetime.now(UTC) - timedelta(days=10)
    write_pair(make_leaf(make_authority(then), "x", now=then), tmp_path / "old.pem")
    assert "ended 9d ago" in certs("expiry", "old.pem").out


def test_renewal_keeps_names_and_kind_of_key_and_the_old_files(certs: Certs, tmp_path: Path) -> None:
    old, old_key = read_certificate(tmp_path / "a.pem"), (tmp_path / "a-key.pem").read_bytes()
    (row,) = certs("renew", "a.pem", "--expiry", "50d", "--json").json
    new = read_certificate(tmp_path / "a.pem")
    assert new.serial_number != old.serial_number
    assert new.subject == old.subject
    assert new.not_valid_after_utc - new.not_valid_before_utc == timedelta(days=50)
    kept, kept_key = (Path(path) for path in row["kept"])
    assert kept.read_bytes() == certificate_pem(old)
    assert kept_key.read_bytes() == old_key
    assert kept_key.stat().st_mode & 0o777 == (tmp_path / "a-key.pem").stat().st_mode & 0o777 == 0o600
    assert certs("verify", "a.pem", "--host", "a.example.net").code == 0


def test_only_what_ends_soon_is_renewed_and_never_the_ca_unasked(certs: Certs, tmp_path: Path) -> None:
    before = {name: (tmp_path / name).read_bytes() for name in ("ca.pem", "a.pem", "b.pem")}
    assert certs("renew", "--within", "30d").out.startswith("b.pem: until ")
    changed = [name for name, data in before.items() if (tmp_path / name).read_bytes() != data]
    assert changed == ["b.pem"]
    assert "nothing ends so soon" in certs("renew", "--within", "1h").err


def test_a_renewed_ca_keeps_its_key_and_what_it_has_signed(certs: Certs, tmp_path: Path) -> None:
    pin = spki_sha256(read_certificate(tmp_path / "ca.pem"))
    assert certs("renew", "ca.pem").code == 0
    assert spki_sha256(read_certificate(tmp_path / "ca.pem")) == pin
    assert certs("verify").code == 0


def test_a_pinned_key_can_be_kept(certs: Certs, tmp_path: Path) -> None:
    pin = spki_sha256(read_certificate(tmp_path / "a.pem"))
    assert certs("renew", "nats.conf", "--reuse-key").code == 0
    assert spki_sha256(read_certificate(tmp_path / "a.pem")) == pin


def test_a_symbolic_link_is_not_renewed(certs: Certs, tmp_path: Path) -> None:
    (tmp_path / "a.pem").rename(tmp_path / "real.pem")
    (tmp_path / "a.pem").symlink_to("real.pem")
    refused = certs("renew", "a.pem")
    assert (refused.code, "a.pem is a symbolic link" in refused.err) == (1, True)
    assert (tmp_path / "a.pem").is_symlink()


def test_a_ca_that_did_not_sign_is_not_used_unasked(certs: Certs, tmp_path: Path) -> None:
    write_pair(make_authority(datetime.now(UTC)), tmp_path / "ca.pem")
    refused = certs("renew", "a.pem")
    assert (refused.code, "ca.pem did not sign a.pem" in refused.err) == (1, True)
    assert certs("renew", "a.pem", "--ca", "ca.pem").code == 0


def test_a_full_disk_leaves_the_old_certificate_and_its_key(certs: Certs, tmp_path: Path) -> None:
    before = {name: (tmp_path / name).read_bytes() for name in ("a.pem", "a-key.pem")}
    program = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
        "from natsctl.cli.tree import run; run(['certs', 'renew', 'a.pem'])\n"
    )
    path = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, env=os.environ | {"PYTHONPATH": path}
    )
    assert done.returncode == 1
    assert b"file too large" in done.stderr
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert not list(tmp_path.glob(".*"))
