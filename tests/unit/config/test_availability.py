"""What a broker cannot do yet is valid, and reported apart."""

from __future__ import annotations

import pytest

from natsctl.config import loads
from natsctl.config.accounts import _ACCOUNT, _LIMITS
from natsctl.config.availability import UNAVAILABLE
from natsctl.config.leafnodes import _AUTHORIZATION as _LEAF_AUTHORIZATION
from natsctl.config.leafnodes import _REMOTE, leafnodes
from natsctl.config.leafnodes import _USER as _LEAF_USER
from natsctl.config.links import cluster
from natsctl.config.schema import Block
from natsctl.config.server import SERVER
from natsctl.config.tls import _TLS, HANDLED
from natsctl.config.users import _AUTHORIZATION, _USER

ISSUER = "ABJHLOVMPA4CI6R5KLNGOB4GSLNIY7IOUPAJC4YFNDLQVIOBYQGUWVLA"


def unavailable(text: str) -> list[str]:
    return [str(problem) for problem in loads(text, file="f", environ={}).unavailable]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n  prof_port: 8222", "f:2:3: prof_port: natsctl server does not support profiling yet"),
        ("maps { a: b }", "f:1:1: maps: natsctl server does not support subject mapping yet"),
        ("tls { ocsp_peer: true }", "f:1:7: ocsp_peer: natsctl server does not support OCSP yet"),
        ("cluster { pool_size: 3 }", "f:1:11: pool_size: natsctl server does not support route pooling yet"),
        (
            "cluster { compression: s2_fast }",
            "f:1:11: compression: natsctl server does not support compression yet",
        ),
        ("jetstream: enabled", "f:1:1: jetstream: natsctl server does not support JetStream yet"),
        ("jetstream {}", "f:1:1: jetstream: natsctl server does not support JetStream yet"),
        (
            "accounts { A { exports: [{stream: s}] } }",
            "f:1:16: exports: natsctl server does not support account exports yet",
        ),
        (
            "leafnodes { remotes: [{url: nats://h, hub: true}] }",
            "f:1:39: hub: natsctl server does not support leafnode remotes that are the hub yet",
        ),
        (
            f"authorization {{ auth_callout {{ issuer: {ISSUER}, auth_users: [a] }} }}",
            "f:1:17: auth_callout: natsctl server does not support auth callout yet",
        ),
        (
            "authorization { users: [{user: a, proxy_required: true}] }",
            "f:1:35: proxy_required: natsctl server does not support the PROXY protocol yet",
        ),
    ],
)
def test_a_feature_that_is_missing_is_named_with_its_key_and_place(text: str, expected: str) -> None:
    assert unavailable(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "jetstream: false",
        "cluster { pool_size: -1, compression: off }",
        "jetstream: disabled",
        "jetstream { enabled: false }",
        "proxy_protocol: false",
        "tls { ocsp_peer: false, insecure: false }",
        "mappings {}",
        "authorization { proxy_required: false }",
        "accounts { A { jetstream: false, exports: [] } }",
    ],
)
def test_a_value_that_switches_a_feature_off_is_no_obstacle(text: str) -> None:
    assert unavailable(text) == []


def test_what_has_an_option_is_available() -> None:
    for key in SERVER.keys:
        assert not (key.to and key.name in UNAVAILABLE)


BLOCKS = {"": SERVER, "authorization.": _AUTHORIZATION, "accounts.*.": _ACCOUNT, "accounts.*.limits.": _LIMITS}
BLOCKS |= {"authorization.users.": _USER, "accounts.*.users.": _USER, "tls.": _TLS}
BLOCKS |= {"cluster.": cluster, "cluster.tls.": _TLS, "cluster.authorization.": _AUTHORIZATION}
BLOCKS |= {"leafnodes.": leafnodes, "leafnodes.remotes.": _REMOTE, "leafnodes.authorization.": _LEAF_AUTHORIZATION}
BLOCKS |= {"leafnodes.tls.": _TLS, "leafnodes.remotes.tls.": _TLS, "leafnodes.authorization.users.": _LEAF_USER}


def test_every_path_of_the_table_leads_to_a_key() -> None:
    known = {prefix + key.name for prefix, block in BLOCKS.items() for key in block.keys}
    assert set(UNAVAILABLE) <= known


@pytest.mark.parametrize(("prefix", "block"), BLOCKS.items())
def test_every_key_is_kept_or_known_to_be_missing(prefix: str, block: Block) -> None:
    """No key may be read and forgotten: it makes an option, or it stops a start."""
    placed_by_hand = {"listen", "host", "port", "http", "https", "tls", "authorization", "accounts"}
    placed_by_hand |= {"cluster", "leafnodes", "users", "remotes"}
    refused = {"cluster.authorization.auth_callout"}
    for key in block.keys:
        if prefix + key.name in refused:
            continue
        assert key.to or key.name in placed_by_hand | HANDLED or prefix + key.name in UNAVAILABLE, key.name
