"""Who may connect, as what, and what the others learn of it."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import bcrypt
import nkeys  # type: ignore[import-untyped]  # it comes without types
import pytest
from nacl.signing import SigningKey

from natsctl.broker import Broker
from natsctl.config.options import (
    AccountLimits,
    AccountOptions,
    AuthorizationOptions,
    Permission,
    Permissions,
    User,
)
from natsctl.errors import ClosedReason
from tests.support.wire import WireClient, connect_line

VIOLATION = b"-ERR 'Authorization Violation'"


def hashed(password: str, rounds: int = 4) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds)).decode()


USERS = AuthorizationOptions(users=[User("u", "plain"), User("h", hashed("hidden"))])
SINGLE = AuthorizationOptions(user="u", password="plain")
TOKEN = AuthorizationOptions(token="t0ken")
HASHED_TOKEN = AuthorizationOptions(token=hashed("t0ken"))


@asynccontextmanager
async def client_of(broker: Broker, **credentials: Any) -> AsyncIterator[WireClient]:
    async with await WireClient.open(broker.port, **({"protocol": 0} | credentials)) as client:
        yield client


@pytest.mark.parametrize(
    ("authorization", "credentials"),
    [
        (USERS, {"user": "u", "pass": "plain"}),
        (USERS, {"user": "h", "pass": "hidden"}),
        (SINGLE, {"user": "u", "pass": "plain"}),
        (TOKEN, {"auth_token": "t0ken"}),
        (HASHED_TOKEN, {"auth_token": "t0ken"}),
    ],
)
async def test_the_right_credentials_open(authorization: AuthorizationOptions, credentials: dict[str, str]) -> None:
    async with Broker(authorization=authorization) as broker, client_of(broker, **credentials) as client:
        assert client.info["auth_required"]
        assert await client.sync() == []


@pytest.mark.parametrize(
    ("authorization", "credentials"),
    [
        (USERS, {}),
        (USERS, {"user": "u"}),
        (USERS, {"user": "u", "pass": "plain "}),
        (USERS, {"user": "nobody", "pass": "plain"}),
        (USERS, {"user": "h", "pass": USERS.users[1].password}),
        (USERS, {"user": "h", "pass": "hid\0den"}),
        (USERS, {"auth_token": "plain"}),
        (SINGLE, {"user": "u", "pass": ""}),
        (SINGLE, {"user": "v", "pass": "plain"}),
        (TOKEN, {"auth_token": "t0ke"}),
        (TOKEN, {"user": "t0ken"}),
        (HASHED_TOKEN, {"auth_token": ""}),
    ],
)
async def test_wrong_credentials_do_not_and_are_never_logged(
    authorization: AuthorizationOptions, credentials: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "natsctl.broker")
    async with Broker(authorization=authorization) as broker, client_of(broker, **credentials) as client:
        assert await client.read_to_end() == [VIOLATION]
        assert [each.reason for each in broker.registry.closed] == [ClosedReason.AUTHENTICATION_FAILURE]
    assert "authentication error" in caplog.text
    for secret in (credentials.get("pass"), credentials.get("auth_token")):
        assert not secret or secret not in caplog.text


async def test_another_verb_before_connect_is_a_violation() -> None:
    async with Broker(authorization=USERS) as broker, await WireClient.open(broker.port) as client:
        await client.send(b"PING\r\n")
        assert await client.read_to_end() == [VIOLATION]


async def test_a_later_connect_must_be_right_too() -> None:
    async with Broker(authorization=USERS) as broker, client_of(broker, user="u", **{"pass": "plain"}) as client:
        await client.send(b"SUB foo 1\r\n" + connect_line(user="h", **{"pass": "hidden", "protocol": 0}))
        assert await client.sync() == []
        assert broker.registry.open[5].login.name == "h"
        assert broker.engine.n_subscriptions("$G") == 4  # the broker's own services
        await client.send(connect_line(user="h", **{"pass": "wrong"}))
        assert await client.read_to_end() == [VIOLATION]


async def test_a_client_that_says_nothing_is_sent_away_in_time() -> None:
    authorization = AuthorizationOptions(token="t", timeout_s=0.05)
    async with (
        Broker(authorization=authorization) as broker,
        client_of(broker, auth_token="t") as in_time,
        await WireClient.open(broker.port) as silent,
    ):
        assert await silent.read_to_end() == [b"-ERR 'Authentication Timeout'"]
        assert [each.reason for each in broker.registry.closed] == [ClosedReason.AUTHENTICATION_TIMEOUT]
        assert await in_time.sync() == []


async def test_a_slow_hash_keeps_nobody_waiting() -> None:
    authorization = AuthorizationOptions(users=[User("slow", hashed("s", 12)), User("u", "plain")])
    async with (
        Broker(authorization=authorization) as broker,
        client_of(broker, user="slow", **{"pass": "s"}) as slow,
        client_of(broker, user="u", **{"pass": "plain"}) as quick,
    ):
        await slow.send(b"PING\r\n")  # held until the hash is done
        answer = asyncio.create_task(slow.read())
        n_rounds = 0
        while not answer.done():
            await quick.sync()
            n_rounds += 1
        assert answer.result() == b"PONG"
        assert n_rounds > 20


async def test_a_client_that_leaves_during_a_slow_hash_is_let_go() -> None:
    authorization = AuthorizationOptions(users=[User("slow", hashed("s", 10))])
    async with Broker(authorization=authorization) as broker, client_of(broker, user="slow", **{"pass": "s"}) as client:
        await client.leave()
        assert [each.reason for each in broker.registry.closed] == [ClosedReason.CLIENT_CLOSED]


# ---- nkeys


class KeyHolder:
    """A user with an nkey, as the nkeys package signs."""

    def __init__(self) -> None:
        seed = nkeys.encode_seed(bytes(SigningKey.generate()), nkeys.PREFIX_BYTE_USER)
        self.pair = nkeys.from_seed(seed)
        self.public: str = self.pair.public_key.decode()
        self.alone = AuthorizationOptions(users=[User(nkey=self.public)])

    def sign(self, nonce: str, encode: Any = base64.urlsafe_b64encode) -> str:
        signature: bytes = encode(self.pair.sign(nonce.encode()))
        return signature.decode()


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("encode", [base64.urlsafe_b64encode, base64.b64encode])
async def test_a_signed_nonce_opens(padded: bool, encode: Any) -> None:
    holder = KeyHolder()
    async with Broker(authorization=holder.alone) as broker, await WireClient.open(broker.port) as client:
        signature = holder.sign(client.info["nonce"], encode)
        sig = signature if padded else signature.rstrip("=")
        await client.send(connect_line(nkey=holder.public, sig=sig, protocol=0))
        assert await client.sync() == []
        assert broker.registry.open[5].login.label == f"nkey:{holder.public}"


async def test_every_connection_has_a_nonce_of_its_own_and_only_that_one_counts() -> None:
    holder = KeyHolder()
    async with (
        Broker(authorization=holder.alone) as broker,
        await WireClient.open(broker.port) as one,
        await WireClient.open(broker.port) as two,
    ):
        assert len(one.info["nonce"]) == len(two.info["nonce"]) == 15
        assert one.info["nonce"] != two.info["nonce"]
        await two.send(connect_line(nkey=holder.public, sig=holder.sign(one.info["nonce"])))
        assert await two.read_to_end() == [VIOLATION]


@pytest.mark.parametrize("sig", ["", "A", "AAAA", "é", "!" * 86, "A" * 86])
async def test_a_signature_that_is_none_does_not_open(sig: str) -> None:
    holder = KeyHolder()
    async with Broker(authorization=holder.alone) as broker, client_of(broker, nkey=holder.public, sig=sig) as client:
        assert await client.read_to_end() == [VIOLATION]


async def test_another_key_does_not_open() -> None:
    holder, stranger = KeyHolder(), KeyHolder()
    async with Broker(authorization=holder.alone) as broker:
        for public in (stranger.public, holder.public, "U"):
            async with await WireClient.open(broker.port) as client:
                await client.send(connect_line(nkey=public, sig=stranger.sign(client.info["nonce"])))
                assert await client.read_to_end() == [VIOLATION]


# ---- no_auth_user and accounts


async def test_a_client_without_credentials_is_the_no_auth_user() -> None:
    user = User("n", "n", permissions=Permissions(publish=Permission(deny=["secret"])))
    authorization = AuthorizationOptions(users=[user, User("u", "p")])
    async with Broker(authorization=authorization, no_auth_user="n") as broker:
        async with await WireClient.open(broker.port) as telnet, client_of(broker) as client:
            await telnet.send(b"PUB secret 0\r\n\r\n")
            assert await telnet.sync() == [b"-ERR 'Permissions Violation for Publish to \"secret\"'"]
            assert await client.sync() == []
            assert [each.login.name for each in broker.registry] == ["n", "n"]
        async with client_of(broker, user="n", **{"pass": "wrong"}) as wrong:
            assert await wrong.read_to_end() == [VIOLATION]


def two_accounts(limits: AccountLimits | None = None) -> list[AccountOptions]:
    return [
        AccountOptions("A", [User("a", "a"), User("a2", "a2")], limits or AccountLimits()),
        AccountOptions("B", [User("b", "b")]),
    ]


async def test_accounts_do_not_hear_each_other() -> None:
    async with (
        Broker(accounts=two_accounts()) as broker,
        client_of(broker, user="a", **{"pass": "a"}) as a,
        client_of(broker, user="a2", **{"pass": "a2"}) as a2,
        client_of(broker, user="b", **{"pass": "b"}) as b,
    ):
        for client in (a, a2, b):
            await client.send(b"SUB > 1\r\n")
            assert await client.sync() == []
        await a.send(b"PUB foo 2\r\nhi\r\n")
        message = b"MSG foo 1 2\r\nhi"
        assert [await client.sync() for client in (a, a2, b)] == [[message], [message], []]


async def test_an_account_limits_its_clients() -> None:
    limits = AccountLimits(max_connections=1, max_subscriptions=1, max_payload=10)
    async with Broker(accounts=two_accounts(limits)) as broker:
        async with client_of(broker, user="a", **{"pass": "a", "protocol": 1}) as client:
            async with client_of(broker, user="a2", **{"pass": "a2"}) as second:
                error = b"-ERR 'maximum account active connections exceeded'"
                assert await second.read_to_end() == [error]
            assert [each.reason for each in broker.registry.closed] == [ClosedReason.MAX_ACCOUNT_CONNECTIONS_EXCEEDED]
            async with client_of(broker, user="b", **{"pass": "b"}) as other:
                assert await other.sync() == []
            await client.sync()
            (info,) = await client.sync()
            assert b'"max_payload":10,' in info
            await client.send(b"SUB a 1\r\nSUB b 2\r\nPUB a 11\r\n")
            assert await client.read_to_end() == [
                b"-ERR 'maximum subscriptions exceeded'",
                b"-ERR 'Maximum Payload Violation'",
            ]
        async with client_of(broker, user="a2", **{"pass": "a2"}) as second:
            assert await second.sync() == []


@pytest.mark.parametrize("no_auth_user", ["", "w"])
async def test_users_of_other_connection_types_alone_do_not_leave_the_door_open(no_auth_user: str) -> None:
    users = [User("w", "secret", allowed_connection_types=["WEBSOCKET"])]
    async with Broker(authorization=AuthorizationOptions(users=users), no_auth_user=no_auth_user) as broker:
        async with client_of(broker, **{"user": "w", "pass": "secret"}) as client:
            assert await client.read_to_end() == [VIOLATION]
        async with client_of(broker) as client:
            assert await client.read_to_end() == [VIOLATION]
        async with await WireClient.open(broker.port) as client:
            await client.send(b"PING\r\n")
            assert await client.read_to_end() == [VIOLATION]


async def test_a_user_without_a_password_needs_an_empty_one() -> None:
    async with Broker(authorization=AuthorizationOptions(users=[User("u")])) as broker:
        async with client_of(broker, user="u") as client:
            assert await client.sync() == []
        async with client_of(broker, **{"user": "u", "pass": "x"}) as client:
            assert await client.read_to_end() == [VIOLATION]


@pytest.mark.parametrize(("switched_off", "is_answered"), [(False, True), (True, False)])
async def test_without_a_system_account_nobody_answers_who_am_i(switched_off: bool, is_answered: bool) -> None:
    async with Broker(no_system_account=switched_off) as broker, client_of(broker, no_responders=True) as client:
        await client.send(b"SUB inbox 1\r\nPUB $SYS.REQ.USER.INFO inbox 0\r\n\r\n")
        answer = await client.read()
        assert answer.startswith(b"MSG inbox 1 " if is_answered else b"HMSG inbox 1 50 50\r\nNATS/1.0 503\r\n")


@pytest.mark.parametrize(("server", "account", "allowed"), [(1, 3, 1), (3, 1, 1), (0, 2, 2), (2, -1, 2)])
async def test_the_smaller_limit_of_subscriptions_holds(server: int, account: int, allowed: int) -> None:
    limited = AccountOptions("A", users=[User("a", "a")], limits=AccountLimits(max_subscriptions=account))
    async with (
        Broker(max_subscriptions=server, accounts=[limited]) as broker,
        client_of(broker, **{"user": "a", "pass": "a"}) as client,
    ):
        await client.send(b"".join(b"SUB s.%d %d\r\n" % (number, number) for number in range(5)))
        assert len(await client.sync()) == 5 - allowed
