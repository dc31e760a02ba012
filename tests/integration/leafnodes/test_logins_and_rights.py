"""As whom leafnodes log in, over what, and what may pass then."""

from __future__ import annotations

from pathlib import Path

import pytest
from nacl.signing import SigningKey

from natsctl.protocol.nkey import USER, encode_public
from tests.support.leaves import NATSCTL, OFFICIAL, Together, join, leaf_server, running, until_joined, until_said
from tests.support.nkeys import encode_seed
from tests.support.nodes import free_ports
from tests.support.operator import Deployment
from tests.support.tls import Pki

PAIRINGS = [(NATSCTL, NATSCTL), (NATSCTL, OFFICIAL), (OFFICIAL, NATSCTL)]
TIMEOUT_S = 10.0
KEY = SigningKey(b"k" * 32)
PUBLIC = encode_public(USER, bytes(KEY.verify_key))
SEED = encode_seed(USER, bytes(KEY))


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


LOGINS = {
    "user of clients": ("", "authorization { user: u, password: p }", "nats://u:p@", ""),
    "token of clients": ("", "authorization { token: secret }", "nats://secret@", ""),
    "nkey of clients": ("", f"authorization {{ users: [{{nkey: {PUBLIC}}}] }}", "nats://", f"nkey: {SEED}"),
    "user of leafnodes": ("authorization { user: lu, password: lp }", "", "nats://lu:lp@", ""),
    "users of leafnodes": ("authorization { users: [{user: lu, password: lp}] }", "", "nats://lu:lp@", ""),
    "nkey of leafnodes": (f"authorization {{ nkey: {PUBLIC} }}", "", "nats://", f"nkey: {SEED}"),
    "escaped": ("authorization { user: 'u:@', password: 'p/%' }", "", "nats://u%3A%40:p%2F%25@", ""),
}


@pytest.mark.parametrize(("hub_kind", "spoke_kind"), PAIRINGS)
@pytest.mark.parametrize("login", LOGINS)
async def test_leafnodes_log_in(hub_kind: str, spoke_kind: str, login: str, tmp_path: Path) -> None:
    leaf, more, url, remote = LOGINS[login]
    (port,) = free_ports(1)
    hub = leaf_server(hub_kind, "hub", tmp_path, hub=port, leaf=leaf, more=more)
    spoke = leaf_server(
        spoke_kind, "spoke", tmp_path, remotes=[f"url: '{url}127.0.0.1:{port}'{', ' if remote else ''}{remote}"]
    )
    with running(hub, spoke):
        await until_joined(hub, ["spoke"])
        await until_joined(spoke, ["hub"])
        for secret in ("lp", SEED, "secret"):
            assert f'"{secret}"' not in spoke.server.log() + hub.server.log()


@pytest.mark.parametrize(("hub_kind", "spoke_kind"), PAIRINGS)
async def test_wrong_credentials_are_refused_and_tried_again(hub_kind: str, spoke_kind: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    hub = leaf_server(hub_kind, "hub", tmp_path, hub=port, leaf="authorization { user: lu, password: lp }")
    spoke = leaf_server(spoke_kind, "spoke", tmp_path, remotes=[f"nats://lu:m1sTaken@127.0.0.1:{port}"])
    with running(hub, spoke):
        await until_said(hub, 'authentication error - User "lu"', times=2)
        await until_said(spoke, "Leafnode Error 'Authorization Violation'", times=2)
        assert hub.page("/leafz")["leafs"] == []
        assert "m1sTaken" not in spoke.server.log() + hub.server.log()


async def test_a_bcrypt_password_opens_a_hub(tmp_path: Path) -> None:
    import bcrypt

    hashed = bcrypt.hashpw(b"lp", bcrypt.gensalt(4)).decode()
    (port,) = free_ports(1)
    hub = leaf_server(NATSCTL, "hub", tmp_path, hub=port, leaf=f"authorization {{ user: lu, password: '{hashed}' }}")
    right = leaf_server(OFFICIAL, "right", tmp_path, remotes=[f"nats://lu:lp@127.0.0.1:{port}"])
    wrong = leaf_server(OFFICIAL, "wrong", tmp_path, remotes=[f"nats://lu:xx@127.0.0.1:{port}"])
    with running(hub, right, wrong):
        await until_said(wrong, "Leafnode Error 'Authorization Violation'")
        await until_joined(hub, ["right"])


@pytest.mark.parametrize("spoke_kind", [NATSCTL, OFFICIAL])
async def test_a_credentials_file_opens_a_hub_in_operator_mode(spoke_kind: str, tmp_path: Path) -> None:
    deployment = Deployment()
    deployment.write_credentials(tmp_path / "edge.creds")
    (port,) = free_ports(1)
    hub = leaf_server(OFFICIAL, "hub", tmp_path, hub=port, more=deployment.config)
    remote = f"url: 'nats://127.0.0.1:{port}', credentials: '{tmp_path / 'edge.creds'}'"
    spoke = leaf_server(spoke_kind, "spoke", tmp_path, remotes=[remote])
    with running(hub, spoke):
        await until_joined(spoke, ["hub"])
        assert [row["account"] for row in hub.page("/leafz")["leafs"]] == [deployment.account]
        near = await hub.connect(user_credentials=str(tmp_path / "edge.creds"))
        together = Together(near, await spoke.connect())
        await together.settle()
        await together.close()


async def test_credentials_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    (tmp_path / "half.creds").write_text("-----BEGIN NATS USER JWT-----\neyJ\n------END NATS USER JWT------\n")
    hub = leaf_server(NATSCTL, "hub", tmp_path, hub=port)
    for name, words in (("missing.creds", "no such file or directory"), ("half.creds", "they lack the JWT")):
        remote = f"url: 'nats://127.0.0.1:{port}', credentials: '{tmp_path / name}'"
        spoke = leaf_server(NATSCTL, name.partition(".")[0], tmp_path, remotes=[remote])
        with running(hub, spoke):
            await until_said(spoke, words, times=2)
            assert "eyJ" not in spoke.server.log()


@pytest.mark.parametrize(("hub_kind", "spoke_kind"), PAIRINGS)
async def test_accounts_of_both_sides_are_bound_one_to_one(hub_kind: str, spoke_kind: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    hub_accounts = "accounts { A { users: [{user: a, password: p}] }, B { users: [{user: b, password: p}] } }"
    spoke_accounts = "accounts { L { users: [{user: l, password: p}] }, M { users: [{user: m, password: p}] } }"
    remotes = [
        f"url: 'nats://a:p@127.0.0.1:{port}', account: L",
        f"url: 'nats://b:p@127.0.0.1:{port}', account: M",
    ]
    hub = leaf_server(hub_kind, "hub", tmp_path, hub=port, more=hub_accounts)
    spoke = leaf_server(spoke_kind, "spoke", tmp_path, remotes=remotes, more=spoke_accounts)
    with running(hub, spoke):
        await until_joined(hub, ["spoke", "spoke"])
        first = Together(await hub.connect(user="a", password="p"), await spoke.connect(user="l", password="p"))
        second = Together(await hub.connect(user="b", password="p"), await spoke.connect(user="m", password="p"))
        heard = [await each.near.subscribe("news") for each in (first, second)]
        await first.settle()
        await second.settle()
        await first.far.publish("news", b"from L")
        assert (await heard[0].next_msg(TIMEOUT_S)).data == b"from L"
        await first.settle()
        await second.settle()
        assert heard[1].pending_msgs == 0
        await first.close()
        await second.close()


@pytest.mark.parametrize(("hub_kind", "spoke_kind"), PAIRINGS)
async def test_what_a_remote_denies_does_not_pass(hub_kind: str, spoke_kind: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    hub = leaf_server(hub_kind, "hub", tmp_path, hub=port)
    denied = f"url: 'nats://127.0.0.1:{port}', deny_imports: ['down.secret'], deny_exports: 'up.secret.>'"
    spoke = leaf_server(spoke_kind, "spoke", tmp_path, remotes=[denied])
    with running(hub, spoke):
        together = await join(hub, spoke)
        up, down = await together.near.subscribe("up.>"), await together.far.subscribe("down.*")
        await together.settle()
        for subject in ("up.secret.1", "up.open"):
            await together.far.publish(subject)
        for subject in ("down.secret", "down.open"):
            await together.near.publish(subject)
        assert (await up.next_msg(TIMEOUT_S)).subject == "up.open"
        assert (await down.next_msg(TIMEOUT_S)).subject == "down.open"
        await together.settle()
        assert (up.pending_msgs, down.pending_msgs) == (0, 0)
        await together.close()
        assert "Violation" not in hub.server.log()


@pytest.mark.parametrize(("hub_kind", "spoke_kind"), PAIRINGS)
async def test_the_permissions_of_its_user_bind_a_leafnode(hub_kind: str, spoke_kind: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    allowed = "{publish: ['up.>', 'settle.>'], subscribe: ['down.>', 'settle.>']}"
    leaf = f"A {{ users: [{{user: leaf, password: p, permissions: {allowed}}}, {{user: all, password: p}}] }}"
    hub = leaf_server(hub_kind, "hub", tmp_path, hub=port, more=f"accounts {{ {leaf} }}")
    spoke = leaf_server(spoke_kind, "spoke", tmp_path, remotes=[f"nats://leaf:p@127.0.0.1:{port}"])
    with running(hub, spoke):
        await until_joined(hub, ["spoke"])
        together = Together(await hub.connect(user="all", password="p"), await spoke.connect())
        up, down = await together.near.subscribe("up.1"), await together.far.subscribe("down.2")
        no_way = await together.near.subscribe("other.1"), await together.far.subscribe("other.2")
        await together.settle()
        for client, subjects in ((together.far, ("other.1", "up.1")), (together.near, ("other.2", "down.2"))):
            for subject in subjects:
                await client.publish(subject)
        assert (await up.next_msg(TIMEOUT_S)).subject == "up.1"
        assert (await down.next_msg(TIMEOUT_S)).subject == "down.2"
        await together.settle()
        assert [each.pending_msgs for each in no_way] == [0, 0]
        await together.close()
        assert "Leafnode connection closed" not in hub.server.log()


# ---- over TLS


@pytest.mark.parametrize(("hub_kind", "spoke_kind"), PAIRINGS)
@pytest.mark.parametrize("way", ["verified", "mutual", "first"])
async def test_leafnodes_are_encrypted(hub_kind: str, spoke_kind: str, way: str, pki: Pki, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    first = "handshake_first: true" if way == "first" else ""
    hub_tls = pki.block(("verify: true" if way == "mutual" else "") + first)
    remote = f"url: 'tls://localhost:{port}', tls {{ ca_file: '{pki.ca}', {first} }}"
    if way == "mutual":
        shown = pki.issue("spoke", "spoke.example.com")
        remote = remote.replace(
            f"ca_file: '{pki.ca}'",
            f"ca_file: '{pki.ca}', cert_file: '{shown.certificate}', key_file: '{shown.key}'",
        )
    hub = leaf_server(hub_kind, "hub", tmp_path, hub=port, leaf=hub_tls)
    spoke = leaf_server(spoke_kind, "spoke", tmp_path, remotes=[remote])
    with running(hub, spoke):
        together = await join(hub, spoke)
        heard = await together.near.subscribe("news")
        await together.settle()
        payload = bytes(range(256)) * 4000
        await together.far.publish("news", payload)
        assert (await heard.next_msg(TIMEOUT_S)).data == payload
        await together.close()
        assert hub.page("/varz")["leaf"]["tls_required"]
        hub.kill()
        await until_joined(spoke, [])
        hub.start()
        await (await join(hub, spoke)).close()


@pytest.mark.parametrize("hub_kind", [OFFICIAL, NATSCTL])
async def test_a_hub_that_is_somebody_else_is_not_spoken_to(
    hub_kind: str, pki: Pki, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (port,) = free_ports(1)
    strangers = Pki(tmp_path_factory.mktemp("strangers"))
    hub = leaf_server(
        hub_kind, "hub", tmp_path, hub=port, leaf=pki.block() + "authorization { user: lu, password: lp }"
    )
    url = f"url: 'nats://lu:lp@127.0.0.1:{port}'"
    wrong_ca = leaf_server(NATSCTL, "wrong_ca", tmp_path, remotes=[f"{url}, tls {{ ca_file: '{strangers.ca}' }}"])
    no_ca = leaf_server(NATSCTL, "no_ca", tmp_path, remotes=[url])
    with running(hub, wrong_ca, no_ca):
        for spoke in (wrong_ca, no_ca):
            await until_said(spoke, "tls: failed to verify certificate: x509: ", times=2)
            assert "connect msg sent" not in spoke.server.log()
        assert hub.page("/leafz")["leafs"] == []


@pytest.mark.parametrize("hub_kind", [OFFICIAL, NATSCTL])
async def test_who_is_to_speak_tls_says_nothing_in_clear(hub_kind: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    hub = leaf_server(hub_kind, "hub", tmp_path, hub=port)
    spoke = leaf_server(NATSCTL, "spoke", tmp_path, remotes=[f"tls://127.0.0.1:{port}"])
    with running(hub, spoke):
        await until_said(spoke, "the hub does not offer TLS", times=2)
        assert "connect msg sent" not in spoke.server.log()
