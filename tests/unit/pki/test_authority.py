"""A CA signs within its time and its rights, and what it signs is what was asked for."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from natsctl.errors import NatsctlError
from natsctl.pki.authority import Authority, self_sign
from natsctl.pki.certificates import certificate_pem, describe, extension_of
from natsctl.pki.keys import DEFAULT_KEY, key_pem
from natsctl.pki.profiles import DEFAULT_PROFILE, Profile
from natsctl.pki.renewal import renew
from natsctl.pki.request import CaEntry, Extension, NameEntry, Request, build_csr, csr_pem, load_csr
from tests.support.certs import NOW, make_authority, make_leaf

CA = make_authority()
KEY = DEFAULT_KEY.generate()


def sign(profile: Profile = DEFAULT_PROFILE, **request: Any) -> x509.Certificate:
    return CA.issue(Request(**{"cn": "x", **request}), KEY, profile, NOW)


@pytest.mark.parametrize(("second", "minute"), [(0, 1), (29, 1), (30, 2), (59, 2)])
def test_a_certificate_begins_five_minutes_before_the_nearest_minute(second: int, minute: int) -> None:
    now = datetime(2026, 1, 1, 0, 6, second, tzinfo=UTC)
    signed = make_leaf(make_authority(now), "h", now=now).certificate
    assert signed.not_valid_before_utc == datetime(2026, 1, 1, 0, minute, tzinfo=UTC)


def test_serial_numbers_have_twenty_random_bytes_without_a_sign() -> None:
    numbers = {sign().serial_number for _ in range(20)}
    assert len(numbers) == 20
    assert max(number.bit_length() for number in numbers) <= 159
    assert min(number.bit_length() for number in numbers) > 120


def test_the_common_name_is_never_a_host() -> None:
    assert extension_of(sign(cn="a.example.net"), x509.SubjectAlternativeName) is None


def test_names_without_a_subject_are_critical() -> None:
    signed = sign(cn="", hosts=["a"])
    assert signed.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["a.b", "*.c", "10.0.0.1", "fd00::1", "m@n", "spiffe://x/y", ""]), unique=True))
def test_every_host_asked_for_is_in_the_certificate(hosts: list[str]) -> None:
    assert set(describe(sign(hosts=hosts)).names) == set(hosts)


def test_a_ca_has_no_hosts_and_a_key_identifier_but_none_of_an_issuer() -> None:
    ca = Authority.create(Request(cn="ca", hosts=["a"]), KEY, NOW).certificate
    assert extension_of(ca, x509.SubjectAlternativeName) is None
    assert extension_of(ca, x509.AuthorityKeyIdentifier) is None
    assert extension_of(ca, x509.SubjectKeyIdentifier) is not None


def test_a_ca_without_a_name_is_refused() -> None:
    with pytest.raises(NatsctlError, match="a CA needs a name"):
        Authority.create(Request(hosts=["a"]), KEY, NOW)
    assert Authority.create(Request(names=[NameEntry(o="org")]), KEY, NOW)


@pytest.mark.parametrize("away", [timedelta(days=-1), timedelta(days=2000)], ids=["too early", "too late"])
def test_a_ca_signs_only_in_its_own_time(away: timedelta) -> None:
    csr = build_csr(Request(cn="x"), KEY)
    with pytest.raises(NatsctlError, match=r"the CA (expired at|is not valid before) \d{4}-") as refused:
        CA.sign(csr, DEFAULT_PROFILE, NOW + away)
    assert refused.value.hint


def test_a_key_of_another_ca_is_refused() -> None:
    other = make_authority()
    with pytest.raises(NatsctlError, match=r"the key b-key\.pem does not match the certificate a\.pem"):
        Authority.load(certificate_pem(CA.certificate), key_pem(other.key), names=("a.pem", "b-key.pem"))


def test_a_leaf_is_no_ca() -> None:
    leaf = make_leaf(CA, "h")
    with pytest.raises(NatsctlError, match="CA is not the certificate of a CA"):
        Authority.load(certificate_pem(leaf.certificate), key_pem(leaf.key))


INTERMEDIATE = Profile(("cert sign",), timedelta(hours=1), is_ca=True, max_path_len=0)


def test_path_lengths_only_grow_shorter() -> None:
    csr = build_csr(Request(cn="sub", ca=CaEntry()), KEY)
    root = make_authority(pathlen=1)
    below = root.sign(csr, INTERMEDIATE, NOW)
    with pytest.raises(NatsctlError, match="max_path_len below that of the CA, 1; it has 1"):
        root.sign(csr, replace(INTERMEDIATE, max_path_len=1), NOW)
    with pytest.raises(NatsctlError, match="it has none"):
        root.sign(csr, replace(INTERMEDIATE, max_path_len=None), NOW)
    with pytest.raises(NatsctlError, match="its path length is 0"):
        Authority(below, KEY).sign(csr, INTERMEDIATE, NOW)


def test_a_request_for_a_ca_is_refused_by_a_profile_for_others() -> None:
    with pytest.raises(NatsctlError, match="asks for a CA"):
        CA.sign(build_csr(Request(cn="x", ca=CaEntry()), KEY), DEFAULT_PROFILE, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"expiry": timedelta(minutes=4)},
        {"backdate": timedelta(days=400)},
        {"not_after": NOW},
        {"not_after": datetime(2020, 1, 1, tzinfo=UTC)},
        {"not_before": datetime(9990, 1, 1, tzinfo=UTC), "expiry": timedelta(days=5000)},
        {"backdate": timedelta(days=365 * 290)},
        {"crl_url": "http://ü"},
        {"usages": ("signing", "encipher only")},
    ],
    ids=str,
)
def test_what_would_never_be_valid_is_not_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(NatsctlError):
        sign(replace(DEFAULT_PROFILE, **changes))


def test_a_whitelist_holds_for_every_name() -> None:
    profile = replace(DEFAULT_PROFILE, name_whitelist=re.compile(r"\.example\.net$"))
    assert sign(profile, cn="a.example.net", hosts=["b.example.net", "10.0.0.1"])
    for request in ({"cn": "x"}, {"cn": "a.example.net", "hosts": ["b.example.org"]}, {"cn": "", "hosts": ["m@n"]}):
        with pytest.raises(NatsctlError, match="not in the name_whitelist"):
            sign(profile, **request)


def test_extensions_are_copied_only_when_the_profile_says_so() -> None:
    oid = x509.ObjectIdentifier("1.2.3.4")
    asked = [Extension(id=[1, 2, 3, 4], value=b"\x05\x00", critical=True)]
    copied = sign(replace(DEFAULT_PROFILE, copy_extensions=True), hosts=["a"], extensions=asked)
    assert copied.extensions.get_extension_for_oid(oid).critical
    assert not [item for item in sign(hosts=["a"], extensions=asked).extensions if item.oid == oid]


def test_a_request_whose_signature_is_not_its_keys_is_refused() -> None:
    pem = csr_pem(build_csr(Request(cn="x"), KEY)).decode().splitlines()
    middle = bytearray(pem[-2].encode())
    middle[0] = ord("B") if middle[0] != ord("B") else ord("C")
    pem[-2] = middle.decode()
    with pytest.raises(NatsctlError, match=r"^r\.csr: "):
        load_csr("\n".join(pem).encode(), "r.csr")
    with pytest.raises(NatsctlError, match="no certificate request"):
        load_csr(b"-----BEGIN nothing", "r.csr")


def test_a_self_signed_certificate_is_for_the_host_and_those_of_the_request() -> None:
    signed = self_sign(Request(cn="x", hosts=["b", "a"]), KEY, "a", NOW)
    assert describe(signed).names == ("a", "b")
    assert signed.not_valid_after_utc - signed.not_valid_before_utc == timedelta(days=90)
    signed.verify_directly_issued_by(signed)


def test_a_renewed_certificate_differs_in_number_times_and_key_only() -> None:
    profile = replace(
        DEFAULT_PROFILE, crl_url="http://c", ocsp_url="http://o", issuer_urls=("http://i",), ocsp_no_check=True
    )
    old, later, key = sign(profile, hosts=["a", "10.0.0.1"]), NOW + timedelta(days=300), DEFAULT_KEY.generate()
    new = renew(old, CA, key.public_key(), later)
    assert new.serial_number != old.serial_number
    assert new.not_valid_after_utc - old.not_valid_after_utc == timedelta(days=300)
    assert new.subject == old.subject
    assert new.public_key() == key.public_key()
    changed = [(a.oid, b.oid) for a, b in zip(old.extensions, new.extensions, strict=True) if a != b]
    assert changed == [(x509.SubjectKeyIdentifier.oid, x509.SubjectKeyIdentifier.oid)]


def test_a_renewed_ca_vouches_for_what_it_has_signed() -> None:
    leaf = make_leaf(CA, "h").certificate
    leaf.verify_directly_issued_by(CA.renewed(NOW + timedelta(days=4000)).certificate)
