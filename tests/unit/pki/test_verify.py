"""What peers object to; OpenSSL is asked whether it agrees."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from natsctl.pki.advice import advise_hosts
from natsctl.pki.authority import Authority
from natsctl.pki.certificates import certificate_pem
from natsctl.pki.keys import DEFAULT_KEY
from natsctl.pki.profiles import Profile
from natsctl.pki.request import CaEntry, Request
from natsctl.pki.verify import matches_host, verify
from tests.support.certs import NOW, make_authority, make_leaf, write_pair

CA = make_authority()
LEAF = make_leaf(CA, "*.example.net", "example.net", "10.0.0.1", "::1")
HOSTS = {
    "example.net": True,
    "EXAMPLE.net.": True,
    "a.example.net": True,
    "a.b.example.net": False,
    ".example.net": False,
    "example.org": False,
    "10.0.0.1": True,
    "10.0.0.2": False,
    "::1": True,
    "0:0:0:0:0:0:0:1": True,
    "leaf": False,
    "": False,
}


@pytest.mark.parametrize(("host", "is_matched"), HOSTS.items())
def test_a_host_is_matched_as_clients_do(host: str, is_matched: bool) -> None:
    assert matches_host(LEAF.certificate, host) == is_matched


@pytest.mark.parametrize("host", [host for host in HOSTS if host.strip(".") == host and host])
def test_openssl_agrees_on_hosts(host: str, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    ca = make_authority(now)
    leaf = make_leaf(ca, "*.example.net", "example.net", "10.0.0.1", "::1", now=now)
    write_pair(leaf, tmp_path / "leaf.pem")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "leaf.pem", tmp_path / "leaf-key.pem")
    client = ssl.create_default_context(cadata=certificate_pem(ca.certificate).decode())
    assert shakes_hands(client, server, host) == HOSTS[host]


def shakes_hands(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> bool:
    """Whether a client accepts a server; both are here, without a socket."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return True


def test_a_good_certificate_meets_no_objection() -> None:
    assert verify([LEAF.certificate], [CA.certificate], NOW, purpose="server", hosts=["10.0.0.1"], key=LEAF.key) == []


def test_all_objections_are_told_at_once_each_with_its_cure() -> None:
    later = NOW + timedelta(days=3000)
    found = verify(
        [LEAF.certificate],
        [make_authority(name="other").certificate],
        later,
        purpose="route",
        hosts=["example.org"],
        key=DEFAULT_KEY.generate(),
    )
    texts = [item.message for item in found]
    assert len(texts) == 5
    assert texts[0].startswith("the certificate expired 2999d ago")
    assert texts[1] == "the key does not match the certificate"
    assert texts[2] == 'a route certificate needs the usage "client auth"'
    assert texts[3].startswith('it is for "*.example.net"')
    assert texts[4] == "it is signed by an unknown authority: CN=test CA"
    assert all(item.cure for item in found)


def test_an_address_without_ip_names_is_told_in_the_words_of_go() -> None:
    leaf = make_leaf(CA, "a.example.net").certificate
    (found,) = verify([leaf], [CA.certificate], NOW, hosts=["127.0.0.1"])
    assert found.message == "it doesn't contain any IP SANs, and so not 127.0.0.1"
    assert found.cure == 'sign it with "127.0.0.1" among the hosts'


def test_two_cas_of_one_name_are_told_apart() -> None:
    (found,) = verify([LEAF.certificate], [make_authority().certificate], NOW)
    assert found.message == "a CA of the name CN=test CA is there, but its key did not sign this"


def test_a_certificate_that_vouches_for_itself_has_to_be_trusted() -> None:
    assert verify([CA.certificate], [CA.certificate], NOW) == []
    (found,) = verify([CA.certificate], [], NOW)
    assert found.message.startswith("it vouches for itself")
    (found,) = verify([CA.certificate, CA.certificate], [], NOW)
    assert found.message.startswith("it vouches for itself")


def intermediate(above: Authority) -> Authority:
    key = DEFAULT_KEY.generate()
    profile = Profile(("cert sign",), timedelta(days=1), is_ca=True)
    return Authority(above.issue(Request(cn="between", ca=CaEntry()), key, profile, NOW), key)


def test_a_chain_leads_over_intermediate_cas() -> None:
    between = intermediate(CA)
    leaf = make_leaf(between, "h").certificate
    assert verify([leaf, between.certificate], [CA.certificate], NOW) == []
    (found,) = verify([leaf], [CA.certificate], NOW)
    assert found.message == "it is signed by an unknown authority: CN=between"


def test_an_expired_ca_in_the_chain_is_named() -> None:
    between = intermediate(CA)
    leaf = make_leaf(between, "h", expiry=timedelta(days=9)).certificate
    (found,) = verify([leaf, between.certificate], [CA.certificate], NOW + timedelta(days=3))
    assert found.message.startswith('its CA "between" expired 2d ago')


def test_a_path_longer_than_a_ca_allows_is_refused() -> None:
    root = make_authority(pathlenzero=True)
    free = Authority(CA.certificate, root.key)  # the same name, and no limit that would keep it from signing
    between = intermediate(free)
    leaf = make_leaf(between, "h").certificate
    found = verify([leaf, between.certificate], [root.certificate], NOW)
    assert "allows 0 CAs between it and a certificate, not 1" in found[0].message


@pytest.mark.parametrize(
    ("hosts", "message", "cure"),
    [
        ([], "no hosts", 'list its names and addresses in "hosts"'),
        ([""], "no hosts", 'list its names and addresses in "hosts"'),
        (["a", ""], 'host "" makes an empty DNS name', 'write "hosts": []'),
        (["10.0.0.1:4222"], "is no IP address and will match nothing", 'write "10.0.0.1"'),
        (["[::1]:4222"], "is no IP address and will match nothing", 'write "::1"'),
        (["nats://a.example.net:4222"], "is no name and will match nothing", 'write "a.example.net"'),
        (["10.0.0.0/8"], "is no IP address", 'write "10.0.0.0"'),
        ([" a"], "white space", 'write "a"'),
        (["10.0.0.256"], "looks like an IP address and is none", "correct it"),
        (["a.*.b"], "will match nothing", "the whole first label"),
        (["*"], "will match nothing", "the whole first label"),
    ],
)
def test_a_host_that_will_match_nothing_is_told_of_with_its_cure(hosts: list[str], message: str, cure: str) -> None:
    found = list(advise_hosts(hosts, "x", is_server=True))
    assert message in found[0].message
    assert cure in found[0].cure


@pytest.mark.parametrize("host", ["a", "*.a.b", "10.0.0.1", "::1", "spiffe://x/y", "m@n", "a-1.b_c"])
def test_a_good_host_is_not_talked_about(host: str) -> None:
    assert list(advise_hosts([host], "x", is_server=True)) == []


def test_an_address_that_is_only_the_common_name_is_told_of() -> None:
    (found,) = advise_hosts(["a"], "10.0.0.1", is_server=True)
    assert found.message == "the address 10.0.0.1 is only the CN, where no client looks"
    assert list(advise_hosts([], "client", is_server=False)) == []
