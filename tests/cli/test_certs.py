"""cfssl's commands at the command line: what goes wrong is said with its cure, and leaves nothing behind."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.certs import Certs, make_authority, read_certificate, write_pair

CSR = '{"CN": "nats server", "hosts": ["a.example.net"]}'


@pytest.fixture
def certs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Certs:
    """natsctl certs in an empty folder that has a CA."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CFSSL_CA_PK_PASSWORD", raising=False)
    write_pair(make_authority(datetime.now(UTC)), tmp_path / "ca.pem")
    (tmp_path / "config.json").write_text(
        json.dumps({"signing": {"profiles": {"server": {"expiry": "1h", "usages": ["signing", "server auth"]}}}})
    )
    return Certs(capsys, monkeypatch)


CA = ("-ca", "ca.pem", "-ca-key=ca-key.pem")


def test_one_line_of_json_and_log_lines_apart_from_it(certs: Certs) -> None:
    made = certs("gencert", *CA, "-", stdin=CSR)
    assert (made.code, made.out.count("\n")) == (0, 1)
    assert list(made.json) == ["cert", "csr", "key"]
    words = [line.split("] ")[1] for line in made.err.splitlines()]
    assert words[:-1] == ["generate received request", "received CSR", "generating key: ecdsa-256", "encoded CSR"]
    assert words[-1].startswith("signed certificate with serial number ")


def test_no_key_appears_in_what_is_logged(certs: Certs) -> None:
    made = certs("gencert", *CA, "-loglevel=0", "-", stdin=CSR)
    assert "PRIVATE" not in made.err
    assert certs("gencert", *CA, "-loglevel", "5", "-", stdin=CSR).err == ""


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (
            ("gencert", *CA, "-config", "config.json", "-profile", "srver", "-"),
            CSR,
            'there is no profile "srver", did you',
        ),
        (("gencert", *CA, "-config", "config.json", "-"), '{"CN": "x"', "stdin:1:11: "),
        (("gencert", *CA, "-"), "", "stdin: nothing came; if a command writes to it, that one failed"),
        (("gencert", *CA), "", "the CSR document is missing"),
        (("gencert", "-"), CSR, "the CA that signs is missing: name its file with -ca"),
        (("gencert", "-ca", "ca.pem", "-"), CSR, "name its file with -ca-key"),
        (("gencert", *CA, "-"), '{"CN": "x", "ca": {}}', "a ca section is only for gencert -initca"),
        (("gencert", *CA, "-"), '{"CN": "x", "key": {"algo": "rsa", "size": 1024}}', "rsa keys have 2048 to 8192 bits"),
        (("gencert", *CA, "-"), '{"CN": "x", "hosts": ["bücher.example"]}', 'host "bücher.example" is not ASCII'),
        (("gencert", "-initca", "-"), '{"CN": "x", "ca": {"expiry": "1y"}}', "stdin: ca.expiry: duration "),
        (("gencert", "-initca", "-"), '{"CN": "x", "ca": {"expiry": "9999999h"}}', "exceeds the limit of 2562047h"),
        (("gencert", "-initca", "-"), "{}", "a CA needs a name"),
        (("gencert", "-initca", "-renewca"), "", "-initca and -renewca exclude each other"),
        (("gencert", "-initca", "-profile", "x", "-"), CSR, "-initca takes no"),
        (("gencert", "-inticca", "-"), CSR, "flag provided but not defined"),
        (("gencert", *CA, "missing.json"), "", "missing.json: no such file"),
        (("gencert", "-ca", "ca-key.pem", "-ca-key", "ca-key.pem", "-"), CSR, "ca-key.pem: no certificate in PEM form"),
        (("gencert", "-ca", "ca.pem", "-ca-key", "ca.pem", "-"), CSR, "everybody can read this private key"),
        (("sign", *CA, "-"), "nonsense", "stdin: no certificate request in PEM form"),
        (("certinfo",), "", "name either a certificate with -cert or a request with -csr"),
        (("print-defaults", "confg"), "", 'there is no default for "confg", did you mean "config"?'),
        (("json", "-bare", "x"), "[]", "stdin: not a JSON object"),
        (("json", "-bare", "x"), "{}", "stdin: neither a certificate nor a key nor a request in it"),
        (("json", "-bare", "x"), '{"cert": 1}', "stdin: cert is no string"),
        (("json", "-bare", "x", "y"), '{"cert": "1"}', 'unexpected argument "y"'),
        (("json", "x"), '{"cert": "1"}', "stdin: no successful response of cfssl's API"),
        (("json", "x"), '{"success": false, "errors": [{"message": "no luck"}]}', "stdin: no luck"),
        (("json", "-bare", "x"), '{"ocspResponse": "*"}', "ocspResponse is not base64"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line_and_leaves_nothing(
    certs: Certs, tmp_path: Path, arguments: tuple[str, ...], stdin: str, message: str
) -> None:
    before = sorted(tmp_path.iterdir())
    refused = certs(*arguments, stdin=stdin)
    assert refused.code in (1, 2)
    errors = [line for line in refused.err.splitlines() if line.startswith("natsctl: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert refused.out == ""
    assert sorted(tmp_path.iterdir()) == before


def test_a_key_that_does_not_belong_to_the_ca_is_refused(certs: Certs, tmp_path: Path) -> None:
    write_pair(make_authority(), tmp_path / "other.pem")
    refused = certs("gencert", "-ca", "ca.pem", "-ca-key", "other-key.pem", "-", stdin=CSR)
    assert (refused.code, refused.out) == (1, "")
    assert "the key other-key.pem does not match the certificate ca.pem" in refused.err


@pytest.mark.parametrize(("days", "words"), [(-4000, "the CA expired at"), (40, "the CA is not valid before")])
def test_a_ca_outside_its_time_does_not_sign(certs: Certs, tmp_path: Path, days: int, words: str) -> None:
    write_pair(make_authority(datetime.now(UTC) + timedelta(days=days)), tmp_path / "ca.pem")
    refused = certs("gencert", *CA, "-", stdin=CSR)
    assert (refused.code, refused.out) == (1, "")
    assert words in refused.err
    assert "hint: " in refused.err


def test_doubts_come_with_their_cures(certs: Certs, tmp_path: Path) -> None:
    write_pair(make_authority(datetime.now(UTC), expiry="100h"), tmp_path / "ca.pem")
    config = {"signing": {"profiles": {"route": {"expiry": "200h", "usages": ["signing", "server auth"]}}}}
    (tmp_path / "routes.json").write_text(json.dumps(config))
    document = '{"CN": "x", "hosts": ["10.0.0.1:6222", ""], "host": []}'
    made = certs("gencert", *CA, "-config", "routes.json", "-profile", "route", "-", stdin=document)
    assert made.code == 0
    warnings = [line.split("[WARNING] ")[1] for line in made.err.splitlines() if "WARNING" in line]
    assert warnings[0] == 'stdin: unknown key "host" has no effect, did you mean "hosts"?'
    assert "use an expiry of at most 100h, or renew the CA first" in warnings[1]
    assert 'add "client auth" to the usages' in warnings[2]
    assert 'write "10.0.0.1"' in warnings[3]
    assert 'host "" makes an empty DNS name' in warnings[4]
    assert len(warnings) == 5


def test_files_are_made_of_json_and_not_replaced_unless_told_to(certs: Certs, tmp_path: Path) -> None:
    made = certs("gencert", *CA, "-", stdin=CSR).out
    assert certs("json", "-bare", "server", "-", stdin=made).code == 0
    assert (tmp_path / "server-key.pem").stat().st_mode & 0o777 == 0o600
    again = certs("gencert", *CA, "-", stdin=CSR).out
    refused = certs("json", "-bare", "server", stdin=again)
    assert (refused.code, "server.pem, server-key.pem, server.csr are there already" in refused.err) == (2, True)
    assert (tmp_path / "server.pem").read_text() == json.loads(made)["cert"]
    assert certs("json", "-bare", "-force", "server", stdin=again).code == 0
    assert (tmp_path / "server-key.pem").read_text() == json.loads(again)["key"]


def test_the_response_of_cfssls_api_is_unwrapped(certs: Certs, tmp_path: Path) -> None:
    response = {"success": True, "result": {"certificate": "C", "private_key": "K", "certificate_request": "R"}}
    assert certs("json", "x", stdin=json.dumps(response)).code == 0
    assert [(tmp_path / name).read_text() for name in ("x.pem", "x-key.pem", "x.csr")] == ["C", "K", "R"]
    shown = certs("json", "-stdout", "x", stdin=json.dumps(response))
    assert shown.out == "C\nK\nR\n"


def test_a_bundle_is_taken_apart(certs: Certs, tmp_path: Path) -> None:
    bundle = {"result": {"bundle": {"bundle": "CHAIN", "root": "ROOT"}}}
    assert certs("json", "-bare", "x", stdin=json.dumps(bundle)).code == 0
    assert (tmp_path / "x-bundle.pem").read_text() == "CHAIN\nROOT"
    assert certs("json", "-bare", "y", stdin='{"result": {"bundle": {"root": 1}}}').code == 1


def test_an_ed25519_ca_signs(certs: Certs, tmp_path: Path) -> None:
    made = certs("gencert", "-initca", "-", stdin='{"CN": "ca", "key": {"algo": "ed25519"}}').out
    assert certs("json", "-bare", "ed", stdin=made).code == 0
    signed = certs("gencert", "-ca", "ed.pem", "-ca-key", "ed-key.pem", "-", stdin=CSR).out
    (tmp_path / "leaf.pem").write_text(json.loads(signed)["cert"])
    read_certificate(tmp_path / "leaf.pem").verify_directly_issued_by(read_certificate(tmp_path / "ed.pem"))


def test_a_request_is_told_of_in_the_words_of_a_certificate(certs: Certs) -> None:
    csr = certs("genkey", "-", stdin=CSR).json["csr"]
    told = certs("certinfo", "-csr", "-", stdin=csr).json
    assert (told["subject"]["common_name"], told["sans"], told["sigalg"]) == (
        "nats server",
        ["a.example.net"],
        "ECDSAWithSHA256",
    )


def test_what_signs_says_its_version(certs: Certs) -> None:
    assert [line.partition(":")[0] for line in certs("version").out.splitlines()] == ["Version", "Revision", "Runtime"]
