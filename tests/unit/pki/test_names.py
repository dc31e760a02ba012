"""Hosts become the names that clients compare with."""

from __future__ import annotations

import ipaddress

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from natsctl.errors import NatsctlError
from natsctl.pki.names import completed, general_name, general_names, parse_ip, subject_name

LABEL = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
DNS = st.builds(".".join, st.lists(LABEL, min_size=1, max_size=4))


@given(st.ip_addresses())
def test_every_address_is_an_ip_name(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    mapped = getattr(address, "ipv4_mapped", None)
    assert general_name(str(address)) == x509.IPAddress(mapped or address)


@given(DNS)
def test_every_host_name_is_a_dns_name(host: str) -> None:
    assert general_name(host) == x509.DNSName(host)
    assert general_name(f"*.{host}") == x509.DNSName(f"*.{host}")


@given(LABEL, DNS)
def test_what_has_an_at_is_an_e_mail_address(user: str, host: str) -> None:
    assert general_name(f"{user}@{host}") == x509.RFC822Name(f"{user}@{host}")
    assert general_name(f"Somebody <{user}@{host}>") == x509.RFC822Name(f"{user}@{host}")


@given(LABEL, DNS, LABEL)
def test_what_has_a_scheme_is_a_uri(scheme: str, host: str, path: str) -> None:
    uri = f"{scheme}://{host}/{path}"
    assert general_name(uri) == x509.UniformResourceIdentifier(uri)


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=60))
def test_any_ascii_text_becomes_some_name(host: str) -> None:
    assert general_name(host)


@pytest.mark.parametrize(
    "host", ["", "a@b@c", "<a@b", "a@b>", "10.0.0.1:4222", "1.2.3", "010.0.0.1", "fe80::1%eth0", "[::1]"]
)
def test_what_only_looks_like_something_else_is_a_dns_name(host: str) -> None:
    assert general_name(host) == x509.DNSName(host)


def test_names_are_in_the_order_of_go_and_otherwise_as_given() -> None:
    hosts = ["spiffe://x/y", "10.0.0.1", "b", "ops@example.net", "a"]
    assert [name.value for name in general_names(hosts)] == [
        "b",
        "a",
        "ops@example.net",
        ipaddress.ip_address("10.0.0.1"),
        "spiffe://x/y",
    ]


def test_a_host_that_is_not_ascii_is_refused_with_how_to_write_it() -> None:
    with pytest.raises(NatsctlError, match=r'host "bücher\.example" is not ASCII') as refused:
        general_name("bücher.example")
    assert refused.value.hint == 'write "xn--bcher-kva.example"'


def test_a_zone_is_no_part_of_an_address() -> None:
    assert parse_ip("fe80::1") is not None
    assert parse_ip("fe80::1%eth0") is None


def test_a_subject_has_its_parts_in_the_order_of_go_whatever_the_order_given() -> None:
    name = subject_name([("CN", "me"), ("OU", "unit"), ("C", "US"), ("1.2.3.4", "other"), ("O", ""), ("L", "here")])
    assert name.rfc4514_string() == "1.2.3.4=other,CN=me,OU=unit,L=here,C=US"


def test_several_values_of_one_part_are_one_part() -> None:
    name = subject_name([("O", "one"), ("O", "two"), ("O", "one")])
    assert [len(rdn) for rdn in name.rdns] == [2]


@pytest.mark.parametrize(("key", "value"), [("C", "USA"), ("CN", "x" * 65), ("not an oid", "x")])
def test_a_part_that_x509_does_not_allow_is_named(key: str, value: str) -> None:
    with pytest.raises(NatsctlError, match=f'^{key} "{value}" in the subject: '):
        subject_name([(key, value)])


def test_a_subject_is_completed_by_another_part_by_part() -> None:
    mine = subject_name([("CN", "mine"), ("O", "one")])
    other = subject_name([("CN", "other"), ("O", "two"), ("C", "US"), ("1.2.3.4", "x")])
    assert completed(mine, other).rfc4514_string() == "1.2.3.4=x,CN=mine,O=one,C=US"
