"""Certificates from anywhere are read and described, or refused; nothing else happens."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from natsctl.errors import NatsctlError
from natsctl.pki.certificates import MAX_CERTIFICATES, certificate_pem, describe, load_certificates, spki_sha256
from natsctl.pki.certinfo import certificate_info, request_info
from natsctl.pki.request import Request, build_csr, load_csr
from natsctl.pki.verify import PURPOSES, verify
from tests.support.certs import NOW, make_authority, make_leaf

CA = make_authority()
LEAF = make_leaf(CA, "a.example.net", "10.0.0.1", "m@n", "spiffe://x/y", usages=("server auth", "client auth"))
DER = LEAF.certificate.public_bytes(serialization.Encoding.DER)
CSR_DER = build_csr(Request(cn="x", hosts=["a", "10.0.0.1"]), LEAF.key).public_bytes(serialization.Encoding.DER)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 255), st.integers(0, 3))
def test_a_certificate_damaged_anywhere_is_described_or_refused(byte: int, removed: int) -> None:
    for at in range(len(DER)):
        data = DER[:at] + bytes([byte]) + DER[at + 1 + removed :]
        try:
            (certificate,) = load_certificates(data, "x.der")
            describe(certificate)
            certificate_info(certificate)
            for purpose in PURPOSES:
                verify([certificate], [CA.certificate], NOW, purpose=purpose, hosts=["a.example.net"])
        except NatsctlError as error:
            assert str(error)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 255))
def test_a_request_damaged_anywhere_is_described_or_refused(byte: int) -> None:
    begin, end = (f"-----{word} CERTIFICATE REQUEST-----\n".encode() for word in ("BEGIN", "END"))
    for at in range(len(CSR_DER)):
        data = CSR_DER[:at] + bytes([byte]) + CSR_DER[at + 1 :]
        try:
            request_info(load_csr(begin + base64.encodebytes(data) + end, "x.csr"))
        except NatsctlError as error:
            assert str(error)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    for text in (data, b"0" + data, b"-----BEGIN CERTIFICATE-----" + data + b"-----END CERTIFICATE-----"):
        with pytest.raises(NatsctlError, match=r"^x\.pem: "):
            load_certificates(text, "x.pem")


def test_a_bundle_has_all_its_certificates_and_text_between_them_does_not_matter() -> None:
    pem = b"# ours\n" + certificate_pem(LEAF.certificate) + b"\n# theirs\r\n" + certificate_pem(CA.certificate)
    assert load_certificates(pem, "x.pem") == [LEAF.certificate, CA.certificate]


def test_a_bundle_has_its_limit() -> None:
    with pytest.raises(NatsctlError, match="1001 certificates exceed the limit of 1000"):
        load_certificates(certificate_pem(CA.certificate) * (MAX_CERTIFICATES + 1), "x.pem")


def test_a_description_has_what_an_operator_asks() -> None:
    told = describe(LEAF.certificate)
    assert (told.common_name, told.purpose, told.key, told.signature) == (
        "leaf",
        "server and client",
        "ecdsa-256",
        "ECDSAWithSHA256",
    )
    assert told.names == ("a.example.net", "m@n", "10.0.0.1", "spiffe://x/y")
    assert told.usages == ("digital signature", "server auth", "client auth")
    assert describe(CA.certificate).purpose == "CA"


def test_fingerprints_are_those_of_the_official_server() -> None:
    assert describe(LEAF.certificate).sha256 == hashlib.sha256(DER).hexdigest()
    key = x509.load_der_x509_certificate(DER).public_key()
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert spki_sha256(LEAF.certificate) == hashlib.sha256(spki).hexdigest()
