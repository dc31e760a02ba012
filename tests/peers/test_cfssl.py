"""Beside Debian's cfssl: the same documents give the same certificates, except serial numbers, times and keys."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtensionOID

NATSCTL = f"{sys.executable} -m natsctl certs"
ALIASES = (
    "shopt -s expand_aliases; set -e -o pipefail\n"
    f"alias cfssl='{NATSCTL}'\nalias cfssljson='{NATSCTL} json'\n"  # a line is read before its aliases count
)

SUBJECT = {"C": "US", "ST": "CA", "L": "San Francisco"}
CA_CSR = {
    "CN": "My Custom CA",
    "key": {"algo": "rsa", "size": 2048},
    "names": [SUBJECT | {"O": "My Company", "OU": "My Org Unit"}],
    "hosts": ["dropped.example.net"],
}
CONFIG = {
    "signing": {
        "default": {"expiry": "43800h"},
        "profiles": {
            "server": {"expiry": "43800h", "usages": ["signing", "key encipherment", "server auth"]},
            "client": {"expiry": "43800h", "usages": ["signing", "key encipherment", "client auth"]},
            "route": {"expiry": "43800h", "usages": ["signing", "key encipherment", "server auth", "client auth"]},
        },
    }
}
LEAF = {"key": {"algo": "rsa", "size": 2048}, "names": [SUBJECT]}
SERVER = LEAF | {"CN": "nats server", "hosts": ["*.nats-cluster.example.net", "nats-cluster.example.net"]}
CLIENT = LEAF | {"CN": "nats client", "hosts": [""]}
ROUTE_AS_PRINTED = """{
    "CN": "nats route",
    "key": {"algo": "rsa", "size": 2048},
    "hosts": ["*.nats-cluster-route.example.net", ],
    "names": [{"C": "US", "ST": "CA", "L": "San Francisco"}]
}
"""
BROAD = {
    "usages": ["signing", "key agreement", "data encipherment", "encipher only", "any", "s/mime", "timestamping"],
    "expiry": "100h",
    "backdate": "1h",
    "issuer_urls": ["http://ca.example.net/ca.pem"],
    "crl_url": "http://ca.example.net/crl",
    "ocsp_url": "http://ca.example.net/ocsp",
    "ocsp_no_check": True,
    "not_before": "2020-01-02T03:04:05Z",
    "not_after": "2036-01-02T03:04:05Z",
    "policies": [
        {
            "id": "1.2.3.4",
            "qualifiers": [
                {"type": "id-qt-cps", "value": "http://ca.example.net/cps"},
                {"type": "id-qt-unotice", "value": "for tests"},
            ],
        }
    ],
}
CONFIG["signing"]["profiles"] |= {  # type: ignore[operator]  # JSON is what it is
    "broad": BROAD,
    "plain": {"usages": ["signing", "microsoft sgc", "netscape sgc", "ipsec tunnel", "code signing"], "expiry": "1h"},
    "ca": {
        "usages": ["cert sign", "crl sign"],
        "expiry": "8760h",
        "ca_constraint": {"is_ca": True, "max_path_len": 0, "max_path_len_zero": True},
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the documents, and with a folder for each of the two programs."""
    if not (shutil.which("cfssl") and shutil.which("cfssljson")):
        pytest.skip("needs cfssl: apt-get install golang-cfssl")
    (tmp_path / "ca-csr.json").write_text(json.dumps(CA_CSR))
    (tmp_path / "ca-config.json").write_text(json.dumps(CONFIG))
    for name, document in (("server", SERVER), ("client", CLIENT)):
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    for name in ("cfssl", "natsctl"):
        (tmp_path / name).mkdir()
    return tmp_path


def shell(folder: Path, program: str, script: str, *, fails: bool = False, **environment: str) -> str:
    """Run a script of cfssl's commands with one of the programs; give what it wrote to stderr."""
    prelude = ALIASES if program == "natsctl" else "set -e -o pipefail\n"
    done = subprocess.run(
        ["bash", "-c", prelude + script],
        cwd=folder / program,
        capture_output=True,
        text=True,
        timeout=50,
        env=os.environ | environment,
    )
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr


def both(folder: Path, script: str) -> None:
    """Run a script with either program."""
    for program in ("cfssl", "natsctl"):
        shell(folder, program, script)


def fields(path: Path) -> dict[str, Any]:
    """Everything in a certificate or a request, but serial number, times and keys."""
    data = path.read_bytes()
    if path.suffix == ".csr":
        csr = x509.load_pem_x509_csr(data)
        told: dict[str, Any] = {"subject": csr.subject.public_bytes(), "extensions": extensions(csr)}
    else:
        certificate = x509.load_pem_x509_certificate(data)
        told = {
            "version": certificate.version,
            "subject": certificate.subject.public_bytes(),
            "issuer": certificate.issuer.public_bytes(),
            "algorithm": certificate.signature_algorithm_oid,
            "key": key_kind(certificate),
            "lifetime": certificate.not_valid_after_utc - certificate.not_valid_before_utc,
            "serial bits": certificate.serial_number.bit_length() > 128,
            "extensions": extensions(certificate),
        }
    return told


def key_kind(certificate: x509.Certificate) -> tuple[str, int]:
    key = certificate.public_key()
    return type(key).__name__, getattr(key, "key_size", 0)


def extensions(document: x509.Certificate | x509.CertificateSigningRequest) -> list[tuple[str, bool, bytes]]:
    """Every extension in its order, whether it is critical, and its bytes unless they follow from a key."""
    of_keys = (ExtensionOID.SUBJECT_KEY_IDENTIFIER, ExtensionOID.AUTHORITY_KEY_IDENTIFIER)
    return [
        (item.oid.dotted_string, item.critical, b"" if item.oid in of_keys else item.value.public_bytes())
        for item in document.extensions
    ]


def assert_same(folder: Path, name: str) -> None:
    for end in (".pem", ".csr"):
        ours, theirs = (folder / program / f"{name}{end}" for program in ("natsctl", "cfssl"))
        assert fields(ours) == fields(theirs), f"{name}{end}"
    ours, theirs = (folder / program / f"{name}-key.pem" for program in ("natsctl", "cfssl"))
    assert ours.read_text().splitlines()[0] == theirs.read_text().splitlines()[0]
    assert ours.stat().st_mode == theirs.stat().st_mode
    assert (folder / "natsctl" / f"{name}.pem").stat().st_mode & 0o777 == 0o644


def assert_strict(folder: Path, name: str, ca: str = "ca.pem") -> None:
    command = ["openssl", "verify", "-x509_strict", "-CAfile", ca, f"{name}.pem"]
    done = subprocess.run(command, cwd=folder / "natsctl", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


GENCERT = "cfssl gencert -ca ca.pem -ca-key ca-key.pem -config ../ca-config.json"
INITCA = "cfssl gencert -initca ../ca-csr.json | cfssljson -bare ca -\n"


def test_the_certificates_of_the_book_are_those_of_cfssl_field_by_field(folder: Path) -> None:
    route = ROUTE_AS_PRINTED.replace(", ]", "]")
    (folder / "route.json").write_text(route)
    names = ("server", "client", "route")
    lines = [f"{GENCERT} -profile {name} ../{name}.json | cfssljson -bare {name}" for name in names]
    both(folder, INITCA + "\n".join(lines))
    for name in ("ca", *names):
        assert_same(folder, name)
        assert_strict(folder, name)


def test_the_listing_with_a_comma_too_many_works_and_is_told_of(folder: Path) -> None:
    (folder / "route.json").write_text(ROUTE_AS_PRINTED)
    err = shell(folder, "natsctl", f"{INITCA}{GENCERT} -profile=route ../route.json | cfssljson -bare route")
    assert "[WARNING] ../route.json:4:49: ignored a comma before a closing bracket" in err
    assert_strict(folder, "route")


@pytest.mark.parametrize("profile", ["broad", "plain", "ca"])
def test_everything_a_profile_can_say_is_said_as_by_cfssl(folder: Path, profile: str) -> None:
    document = {
        "CN": "Ünï & *",
        "hosts": ["b.example.net", "10.1.2.3", "::ffff:10.0.0.1", "fd00::1", "ops@example.net", "a.example.net", "x_y"],
        "names": [{"O": "one"}, {"O": "two", "OU": "Größe"}],
        "serialnumber": "77",
    }
    (folder / "leaf.json").write_text(json.dumps(document))
    both(folder, f"{INITCA}{GENCERT} -profile {profile} ../leaf.json | cfssljson -bare leaf")
    assert_same(folder, "leaf")


@pytest.mark.parametrize(
    "key",
    [*({"algo": "ecdsa", "size": size} for size in (256, 384, 521)), {"algo": "rsa", "size": 3072}],
    ids=lambda key: f"{key['algo']}-{key['size']}",
)
def test_a_ca_of_any_key_is_that_of_cfssl(folder: Path, key: dict[str, Any]) -> None:
    (folder / "ca-csr.json").write_text(json.dumps({"CN": "ca", "key": key}))
    both(folder, INITCA)
    assert_same(folder, "ca")
    assert_strict(folder, "ca")


@pytest.mark.parametrize("ca", [{"pathlen": 1, "expiry": "100h"}, {"pathlenzero": True}, {"pathlen": -1}], ids=str)
def test_a_ca_of_any_path_length_is_that_of_cfssl(folder: Path, ca: dict[str, Any]) -> None:
    (folder / "ca-csr.json").write_text(json.dumps({"CN": "ca", "ca": ca}))
    both(folder, INITCA)
    assert_same(folder, "ca")
    assert_strict(folder, "ca")


def test_hosts_and_subject_can_be_replaced_while_signing(folder: Path) -> None:
    (folder / "subject.json").write_text('{"CN": "other", "names": [{"O": "org"}]}')
    both(
        folder,
        f"{INITCA}{GENCERT} -hostname=one.example.net,10.0.0.1 -profile server ../server.json | cfssljson -bare one\n"
        "cfssl genkey ../server.json | cfssljson -bare two\n"
        f"{GENCERT.replace('gencert', 'sign')} -profile client two.csr ../subject.json | cfssljson -bare two\n"
        f"{GENCERT.replace('gencert', 'sign')} -hostname three.example.net -profile client two.csr > three.json\n"
        "cfssljson -bare -f three.json three",
    )
    for name in ("one", "two"):
        assert_same(folder, name)
    assert fields(folder / "natsctl" / "three.pem") == fields(folder / "cfssl" / "three.pem")


def test_certinfo_says_what_cfssl_says(folder: Path) -> None:
    shell(folder, "cfssl", f"{INITCA}{GENCERT} -profile server ../server.json | cfssljson -bare server")
    for name in ("ca", "server"):
        both(folder, f"cfssl certinfo -cert ../cfssl/{name}.pem > info.json")
        ours, theirs = ((folder / program / "info.json").read_text() for program in ("natsctl", "cfssl"))
        assert ours == theirs


def test_the_defaults_are_those_of_cfssl(folder: Path) -> None:
    both(folder, "cfssl print-defaults config > config; cfssl print-defaults csr > csr")
    for name in ("config", "csr"):
        ours, theirs = (json.loads((folder / program / name).read_text()) for program in ("natsctl", "cfssl"))
        assert ours == theirs


def test_a_ca_of_one_program_serves_the_other(folder: Path) -> None:
    shell(folder, "cfssl", INITCA)
    for name in ("ca.pem", "ca-key.pem"):
        shutil.copy(folder / "cfssl" / name, folder / "natsctl" / name)
    shell(folder, "natsctl", f"{GENCERT} -profile server ../server.json | cfssljson -bare server")
    assert_strict(folder, "server")
    shell(folder, "cfssl", f"{GENCERT} -profile server ../server.json | cfssljson -bare server")
    assert fields(folder / "natsctl" / "server.pem") == fields(folder / "cfssl" / "server.pem")


@pytest.mark.parametrize("how", ["-renewca -ca ca.pem", "-initca"])
def test_a_ca_made_anew_with_its_key_vouches_for_what_it_has_signed(folder: Path, how: str) -> None:
    shell(folder, "cfssl", f"{INITCA}{GENCERT} -profile server ../server.json | cfssljson -bare server")
    for name in ("ca.pem", "ca-key.pem", "server.pem"):
        shutil.copy(folder / "cfssl" / name, folder / "natsctl" / name)
    csr = "" if "renewca" in how else "../ca-csr.json"
    shell(folder, "natsctl", f"cfssl gencert {how} -ca-key ca-key.pem {csr} | cfssljson -bare new")
    old, new = fields(folder / "cfssl" / "ca.pem"), fields(folder / "natsctl" / "new.pem")
    assert old == new
    assert_strict(folder, "server", ca="new.pem")


def test_an_encrypted_ca_key_is_opened_as_cfssl_opens_it(folder: Path) -> None:
    shell(folder, "natsctl", INITCA)
    path = folder / "natsctl" / "ca-key.pem"
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.BestAvailableEncryption(b"opensesame"))
    path.write_bytes(pem)
    sign = f"{GENCERT} -profile server ../server.json | cfssljson -bare server"
    shell(folder, "natsctl", sign, CFSSL_CA_PK_PASSWORD="opensesame")
    assert_strict(folder, "server")
    err = shell(folder, "natsctl", sign, fails=True)
    assert "ca-key.pem: the key is encrypted\nhint: set CFSSL_CA_PK_PASSWORD" in err


def test_a_self_signed_certificate_has_the_names_that_cfssl_leaves_out(folder: Path) -> None:
    both(folder, "cfssl selfsign localhost ../server.json | cfssljson -bare self")
    ours, theirs = (fields(folder / program / "self.pem") for program in ("natsctl", "cfssl"))
    names = [item for item in ours["extensions"] if item[0] == "2.5.29.17"]
    assert b"localhost" in names[0][2]
    assert [item for item in ours["extensions"] if item not in names] == theirs["extensions"]
    assert ours["subject"] == theirs["subject"]
    assert abs(ours["lifetime"] - theirs["lifetime"]) < timedelta(days=2)
