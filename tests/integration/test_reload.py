"""A reload of a broker that is in use: who stays, who loses what, and that it is all or nothing."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from natsctl.broker import Broker
from natsctl.broker.processfiles import ProcessFiles
from natsctl.config import loads
from natsctl.config.options import Options
from natsctl.errors import ConfigError, ReloadError, ServerError
from tests.support.rig import ENGINES
from tests.support.tls import Pki, TlsClient
from tests.support.wire import WireClient, connect_line

VIOLATION = b"-ERR 'Authorization Violation'"
A, B = {"user": "a", "pass": "a"}, {"user": "b", "pass": "b"}
BOTH = "authorization { users: [{user: a, password: a}, {user: b, password: b}] }"


def options(text: str = "") -> Options:
    return replace(loads(text, environ={}).options, host="127.0.0.1", port=-1)


@asynccontextmanager
async def running(text: str = "") -> AsyncIterator[Broker]:
    async with Broker(options(text)) as broker:
        yield broker


async def connected(broker: Broker, **fields: Any) -> WireClient:
    client = await WireClient.open(broker.port, **({"protocol": 1} | fields))
    await client.sync()
    await client.sync()  # the INFO that follows the first PONG
    return client


async def encrypted(broker: Broker, context: ssl.SSLContext) -> TlsClient:
    client = await TlsClient.open(broker.port, context)
    await client.send(connect_line(**A))
    await client.sync()
    await client.sync()
    return client


async def reasons(broker: Broker) -> list[str]:
    return [closed.reason.value for closed in broker.registry.closed]


# ---- limits


async def test_a_smaller_max_payload_is_told_and_holds_at_once() -> None:
    async with running() as broker, await connected(broker) as client, await connected(broker, protocol=0) as old:
        await broker.reload(options("max_payload: 100"))
        info = json.loads((await client.read())[5:])
        assert info["max_payload"] == 100
        assert await old.sync() == []
        for each in (client, old):
            await each.send(b"PUB a 101\r\n")
            assert await each.read_to_end() == [b"-ERR 'Maximum Payload Violation'"]


async def test_a_shorter_control_line_holds_for_those_who_are_connected() -> None:
    async with running() as broker, await connected(broker) as client:
        await broker.reload(options("max_control_line: 64"))
        await client.send(b"PUB " + b"a" * 100 + b" 1\r\n")
        assert await client.read_to_end() == [b"-ERR 'maximum control line exceeded'"]


async def test_pings_and_write_deadlines_follow() -> None:
    async with running() as broker, await connected(broker):
        await broker.reload(options("ping_interval: '7s', ping_max: 9, write_deadline: '3s'"))
        (connection,) = broker.registry
        assert (connection.pinger.interval_s, connection.pinger.max_out) == (7, 9)
        assert connection._writer.deadline_s == 3


async def test_connections_over_the_new_limit_are_closed() -> None:
    async with running() as broker:
        clients = [await connected(broker) for _ in range(5)]
        await broker.reload(options("max_connections: 2"))
        assert len(broker.registry.open) == 2
        assert await reasons(broker) == ["Maximum Connections Exceeded"] * 3
        for client in clients:
            client.close()


async def test_a_limit_of_an_account_holds_for_those_who_are_connected() -> None:
    accounts = "accounts {{ A {{ users: [{{user: a, password: a}}], limits {{ {} }} }} }}"
    async with running(accounts.format("")) as broker:
        first, second, third = [await connected(broker, **A) for _ in range(3)]
        await first.send(b"SUB x 1\r\nSUB y 2\r\n")
        await first.sync()
        await broker.reload(options(accounts.format("max_conn: 2, max_subs: 1")))
        assert await first.read_to_end() == [b"-ERR 'maximum subscriptions exceeded'"]
        assert await second.sync() == []
        assert await third.read_to_end() == [b"-ERR 'maximum account active connections exceeded'"]
        for client in (first, second, third):
            client.close()


# ---- logins


async def test_who_needs_no_login_any_more_stays() -> None:
    async with running("authorization { user: a, password: a }") as broker, await connected(broker, **A) as client:
        await broker.reload(options())
        assert await client.sync() == []


async def test_who_waits_to_log_in_finds_the_new_logins() -> None:
    login = "authorization {{ user: a, password: {} }}".format
    async with running(login("x")) as broker, await WireClient.open(broker.port) as client:
        await broker.reload(options(login("a")))
        await client.send(b'CONNECT {"verbose":false,"user":"a","pass":"a"}\r\n')
        assert await client.sync() == []


async def test_who_waits_to_log_in_need_not_when_there_are_no_logins_left() -> None:
    async with (
        running("authorization { user: a, password: a, timeout: 60 }") as broker,
        await WireClient.open(broker.port) as client,
    ):
        await broker.reload(options())
        await client.send(b"SUB x 1\r\nPUB x 1\r\ny\r\n")
        assert await client.sync() == [b"+OK", b"+OK", b"MSG x 1 1\r\ny"]


async def test_who_never_logged_in_is_sent_away_when_one_must() -> None:
    async with running() as broker, await connected(broker) as named, await WireClient.open(broker.port) as silent:
        await broker.reload(options("authorization { user: a, password: a }"))
        assert await named.read_to_end() == [VIOLATION]
        assert await silent.read_to_end() == [VIOLATION]


async def test_who_brought_the_right_credentials_from_the_start_stays() -> None:
    async with running() as broker, await connected(broker, **A) as right, await connected(broker, **B) as wrong:
        await broker.reload(options("authorization { user: a, password: a }"))
        assert await right.sync() == []
        assert await wrong.read_to_end() == [VIOLATION]


async def test_a_changed_password_sends_away_and_a_removed_user_goes_without_a_word() -> None:
    async with running(BOTH) as broker, await connected(broker, **A) as a, await connected(broker, **B) as b:
        await broker.reload(options("authorization { users: [{user: a, password: other}] }"))
        assert await a.read_to_end() == [VIOLATION]
        assert await b.read_to_end() == []
        assert sorted(await reasons(broker)) == ["Authentication Failure", "Client Closed"]


async def test_a_changed_token_sends_away() -> None:
    token = "authorization {{ token: {} }}".format
    async with running(token("a")) as broker, await connected(broker, auth_token="a") as client:
        await broker.reload(options(f"debug: true\n{token('a')}"))
        assert await client.sync() == []
        await broker.reload(options(token("b")))
        assert await client.read_to_end() == [VIOLATION]


@pytest.mark.parametrize(("password", "stays"), [("a", True), ("b", False)])
async def test_a_password_that_is_hashed_now_is_verified_before_anything_changes(password: str, stays: bool) -> None:
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
    async with running(BOTH) as broker, await connected(broker, **A) as client, await connected(broker, **A) as twin:
        await broker.reload(options(f"authorization {{ users: [{{user: a, password: '{hashed}'}}] }}"))
        for each in (client, twin):
            assert (await each.sync() if stays else await each.read_to_end()) == ([] if stays else [VIOLATION])


async def test_who_is_being_verified_during_a_reload_is_judged_by_the_new_logins() -> None:
    def text(password: str) -> str:
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(10)).decode()
        return f"authorization {{ users: [{{user: a, password: '{hashed}'}}] }}"

    after = options(text("other"))
    async with running(text("a")) as broker, await WireClient.open(broker.port) as client:
        await client.send(connect_line(**A))
        (connection,) = broker.registry
        for _ in range(100_000):
            if connection.verifying is not None:
                break
            await asyncio.sleep(0)
        assert connection.verifying is not None
        await broker.reload(after)
        assert await client.read_to_end() == [VIOLATION]


async def test_a_user_of_another_account_goes_without_a_word_and_may_come_back() -> None:
    moved = "accounts { A { users: [{user: a, password: a}] } }"
    async with running(BOTH) as broker, await connected(broker, **A) as client:
        await broker.reload(options(moved))
        assert await client.read_to_end() == []
        async with await connected(broker, **A) as again:
            await again.send(b"PUB $SYS.REQ.USER.INFO x 0\r\n\r\n")
            assert await again.sync() == []
            (connection,) = broker.registry
            assert connection.account == "A"


async def test_accounts_come_and_go_without_leaving_services_behind() -> None:
    with_account = options("accounts { A { users: [{user: a, password: a}] } }")
    async with running() as broker:
        await broker.reload(with_account)
        n_subscriptions = broker.engine.n_subscriptions()
        for _ in range(3):
            await broker.reload(options())
            await broker.reload(with_account)
        assert broker.engine.n_subscriptions() == n_subscriptions
        async with await connected(broker, **A) as client:
            await client.send(b"SUB reply 1\r\nPUB $SYS.REQ.USER.INFO reply 0\r\n\r\n")
            (answer,) = await client.sync()
            assert b'"account":"A"' in answer


# ---- permissions


async def test_subscriptions_that_are_not_allowed_any_more_end() -> None:
    allowed = "authorization { users: [{user: a, password: a, permissions: {subscribe: ['x', 'q g'], publish: 'x'}}] }"
    async with running(BOTH) as broker, await connected(broker, **A) as client:
        await client.send(b"SUB x 1\r\nSUB y 2\r\nSUB q g 3\r\nSUB q h 4\r\n")
        await client.sync()
        await broker.reload(options(allowed))
        assert sorted(await client.sync()) == [
            b'-ERR \'Permissions Violation for Subscription to "q" using queue "h" (sid "4")\'',
            b'-ERR \'Permissions Violation for Subscription to "y" (sid "2")\'',
        ]
        await client.send(b"PUB y 1\r\n1\r\nPUB x 1\r\n2\r\n")
        assert await client.sync() == [b"-ERR 'Permissions Violation for Publish to \"y\"'", b"MSG x 1 1\r\n2"]
        await broker.reload(options(BOTH))
        await client.send(b"SUB y 5\r\nPUB y 1\r\n3\r\n")
        assert await client.sync() == [b"MSG y 5 1\r\n3"]


async def test_a_new_denial_filters_a_wildcard_that_stays() -> None:
    denied = "authorization { users: [{user: a, password: a, permissions: {subscribe: {deny: 'x.secret'}}}] }"
    async with running(BOTH) as broker, await connected(broker, **A) as client:
        await client.send(b"SUB x.* 1\r\n")
        await client.sync()
        await broker.reload(options(denied))
        await client.send(b"PUB x.secret 1\r\n1\r\nPUB x.open 1\r\n2\r\n")
        assert await client.sync() == [b"MSG x.open 1 1\r\n2"]


# ---- encryption


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


async def test_new_connections_see_the_new_certificate_and_old_ones_go_on(pki: Pki, tmp_path: Path) -> None:
    shown = tmp_path / "shown.pem"
    key = tmp_path / "shown-key.pem"
    certificates = [pki.server, pki.issue("renewed", "127.0.0.1", cn="renewed")]
    text = f"https: '127.0.0.1:-1'\ntls {{ cert_file: '{shown}', key_file: '{key}' }}"

    def show(number: int) -> bytes:
        shown.write_bytes(certificates[number].certificate.read_bytes())
        key.write_bytes(certificates[number].key.read_bytes())
        return ssl.PEM_cert_to_DER_cert(shown.read_text())

    async def seen(port: int) -> bytes:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=pki.trust())
        certificate: bytes = writer.get_extra_info("ssl_object").getpeercert(True)
        writer.close()
        return certificate

    first = show(0)
    async with running(text) as broker, await encrypted(broker, pki.trust()) as client:
        assert broker.monitor is not None
        assert await seen(broker.monitor.port) == first
        second = show(1)
        await broker.reload(options(text))
        assert await seen(broker.monitor.port) == second
        async with await encrypted(broker, pki.trust()) as renewed:
            assert await renewed.sync() == []
        assert await client.sync() == []


async def test_encryption_is_switched_on_and_off_for_new_connections(pki: Pki) -> None:
    async with running() as broker, await connected(broker) as plain:
        await broker.reload(options(pki.block()))
        async with await encrypted(broker, pki.trust()) as client:
            assert client.info["tls_required"]
            assert await plain.sync() == []
            await broker.reload(options())
            assert await client.sync() == []
        async with await connected(broker) as again:
            assert "tls_required" not in again.info


async def test_a_certificate_that_is_not_pinned_any_more_is_cut(pki: Pki) -> None:
    pins = "verify: true, pinned_certs: ['{}']".format
    shown = pki.issue("client", cn="client")
    async with running(pki.block("verify: true")) as broker, await encrypted(broker, pki.trust(shown)) as client:
        (connection,) = broker.registry
        assert connection.tls is not None
        await broker.reload(options(pki.block(pins(connection.tls.public_key_sha256.upper()))))
        assert await client.sync() == []
        await broker.reload(options(pki.block(pins("0" * 64))))
        assert await reasons(broker) == ["TLS Handshake Failure"]


# ---- all or nothing

BROKEN = {
    "an option that cannot change": ("max_payload: 100, max_pending: 5MB", ReloadError),
    "limits that contradict each other": ("debug: true, max_payload: 80MB", ConfigError),
    "a certificate that is not there": (
        "max_payload: 100, tls {{ cert_file: '{0}/no', key_file: '{0}/no' }}",
        ConfigError,
    ),
    "a log that cannot be opened": ("max_payload: 100, log_file: '{0}/no/log'", ServerError),
    "a pid file that cannot be written": ("max_payload: 100, pid_file: '{0}/no/pid'", ConfigError),
    "a folder for ports that is not there": ("max_payload: 100, ports_file_dir: '{0}/no'", ConfigError),
}


@pytest.mark.parametrize(("text", "error"), BROKEN.values(), ids=BROKEN)
async def test_a_reload_that_fails_changes_nothing(tmp_path: Path, text: str, error: type[Exception]) -> None:
    async with running(f"log_file: '{tmp_path}/log'\n{BOTH}") as broker, await connected(broker, **A) as client:
        broker.log.follows_options = True  # as that of a process
        broker.files = ProcessFiles(broker.log)
        before = broker.options
        with pytest.raises(error):
            await broker.reload(options(text.format(tmp_path)))
        assert broker.options is before
        assert await client.sync() == []


async def test_a_broker_without_a_file_says_what_it_lacks() -> None:
    async with running() as broker:
        with pytest.raises(ConfigError, match="can only reload config when a file is provided"):
            await broker.reload()


async def test_the_file_is_read_again_and_overrides_keep_winning(tmp_path: Path) -> None:
    file = tmp_path / "nats.conf"
    file.write_text("listen: '127.0.0.1:-1', max_payload: 100, ping_max: 3\n")
    async with Broker.from_config(str(file), ping_max=7) as broker:
        loaded_at = broker.config_loaded_at
        file.write_text("listen: '127.0.0.1:-1', max_payload: 200, ping_max: 4\n")
        await broker.reload()
        assert (broker.options.max_payload, broker.options.ping_max) == (200, 7)
        assert broker.config_loaded_at > loaded_at
        file.write_text("max_payload: [")
        with pytest.raises(ConfigError):
            await broker.reload()
        assert broker.options.max_payload == 200


async def test_a_port_that_was_picked_stays_and_another_one_is_refused() -> None:
    async with running() as broker:
        port = broker.port
        await broker.reload(options())
        await broker.reload(replace(options(), port=port))
        with pytest.raises(ReloadError, match=f"config reload not supported for Port: old={port}, new=4$"):
            await broker.reload(replace(options(), port=4))
        assert broker.port == port


async def test_only_a_running_broker_reloads() -> None:
    broker = Broker(options())
    with pytest.raises(ServerError, match="only a running broker can reload"):
        await broker.reload(options())
    await broker.start()
    await broker.stop()
    with pytest.raises(ServerError, match="only a running broker can reload"):
        await broker.reload(options())


async def test_two_reloads_at_once_come_one_after_the_other() -> None:
    async with running() as broker:
        await asyncio.gather(*(broker.reload(options(f"max_payload: {size}")) for size in range(1, 6)))
        assert broker.options.max_payload == 5


@pytest.mark.parametrize("engine", ENGINES)
async def test_messages_go_on_through_reloads(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATSCTL_ENGINE", engine)
    n_messages = 20_000
    async with running(BOTH) as broker, await connected(broker, **A) as reader, await connected(broker, **B) as sender:
        await reader.send(b"SUB x 1\r\n")
        await reader.sync()
        receiving = asyncio.create_task(count_messages(reader, n_messages))
        for number in range(20):
            await sender.send(b"PUB x 1\r\ny\r\n" * (n_messages // 20))
            permissions = ", permissions: {subscribe: x, publish: [x, y]}" if number % 2 else ""
            text = f"authorization {{ users: [{{user: a, password: a{permissions}}}, {{user: b, password: b}}] }}"
            await broker.reload(options(text))
        await receiving
        assert await sender.sync() == []
        assert await reader.sync() == []


async def count_messages(reader: WireClient, expected: int) -> None:
    while len(reader.frames) < expected:
        assert await reader.receive(), "cut"
    assert set(reader.frames) == {b"MSG x 1 1\r\ny"}
    reader.frames.clear()


# ---- a hundred reloads


async def test_a_hundred_reloads_leave_nothing_behind(pki: Pki, tmp_path: Path) -> None:
    texts = [
        BOTH,
        f"{pki.block()}max_payload: 1000\n{BOTH}",
        f"accounts {{ C {{ users: [{{user: c, password: c}}] }} }}\nclient_advertise: '1.2.3.4:5', ping_max: 5\n{BOTH}",
        "authorization { users: [{user: a, password: a, permissions: {subscribe: x}}] }",
    ]

    async def reload(broker: Broker, times: int) -> None:
        for number in range(times):
            await broker.reload(options(texts[number % len(texts)]))
            if broker.security is not None:  # its threads begin with the first handshake
                await (await encrypted(broker, pki.trust())).close()

    def held() -> tuple[int, int, int]:
        gc.collect()
        return len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks()), threading.active_count()

    async with running(BOTH) as broker, await connected(broker, **A) as client:
        await reload(broker, 40)  # until every thread and cache is there
        before, n_objects = held(), len(gc.get_objects())
        await reload(broker, 100)
        assert held() == before
        assert len(gc.get_objects()) < n_objects + 500
        await client.sync()
