"""The monitoring port: its pages under traffic, and with clients that mean no good."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from natsctl import Broker
from natsctl.broker.monitor import http
from natsctl.errors import ServerError
from natsctl.monitoring.documents import Varz, decode
from natsctl.testing import run_broker
from tests.support.http import Answer, ask, monitor_port
from tests.support.process import NATSCTL, running_server
from tests.support.rig import ENGINES
from tests.support.wire import PATIENCE_S, WireClient


@pytest.fixture(autouse=True, params=ENGINES)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs over each engine."""
    monkeypatch.setenv("NATSCTL_ENGINE", request.param)


@asynccontextmanager
async def monitored(**options: Any) -> AsyncIterator[Broker]:
    async with Broker(http_port=-1, **options) as broker:
        yield broker


def port_of(broker: Broker) -> int:
    return int(broker.monitor_url.rpartition(":")[2])


async def get(broker: Broker, path: str, method: str = "GET") -> Answer:
    """Ask from a thread: the broker runs on this loop."""
    return await asyncio.to_thread(ask, port_of(broker), path, method)


async def document(broker: Broker, path: str) -> Any:
    return (await get(broker, path)).document


async def raw(broker: Broker, request: bytes) -> bytes:
    """Send bytes and read until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(broker))
    writer.write(request)
    async with asyncio.timeout(PATIENCE_S):
        answer = await reader.read()
    writer.close()
    return answer


# ---- the port


async def test_an_embedded_broker_tells_where_its_pages_are() -> None:
    async with monitored(http_base_path="/nats/") as broker:
        assert broker.monitor_url.startswith("http://127.0.0.1:")
        assert broker.monitor_url.endswith("/nats")
        assert broker.listeners()["monitoring"] == [broker.monitor_url.removesuffix("/nats")]
    async with Broker() as silent:
        assert silent.monitor_url == ""


def test_a_broker_in_a_thread_has_pages_too() -> None:
    with run_broker(http_port=-1) as server:
        assert ask(int(server.broker.monitor_url.rpartition(":")[2]), "/healthz").text == '{"status":"ok"}'


async def test_the_log_names_the_port(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "natsctl.broker")
    async with monitored() as broker:
        assert f"Starting http monitor on 127.0.0.1:{port_of(broker)}" in caplog.messages


async def test_a_port_in_use_stops_the_start_in_nats_servers_words() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(ServerError) as failed:
            await Broker(http_port=other.getsockname()[1]).start()
        reason = f"listen tcp {address}: bind: address already in use"
        assert str(failed.value) == f"Can't start monitoring: can't listen to the monitor port: {reason}"


async def test_a_broker_that_cannot_listen_for_clients_leaves_no_pages_behind() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        broker = Broker(port=other.getsockname()[1], http_port=-1)
        with pytest.raises(ServerError, match="Error listening on port"):
            await broker.start()
        with socket.socket() as client:
            assert client.connect_ex(("127.0.0.1", port_of(broker))) != 0


async def test_pages_end_with_the_broker() -> None:
    async with monitored() as broker:
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(broker))
        writer.write(b"GET /varz HTTP/1.1\r\nHost: x\r\n")
        await asyncio.sleep(0)
    with suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", port_of(broker))) != 0


def test_a_broker_without_the_port_imports_no_http_server() -> None:
    program = (
        "import asyncio, sys\nfrom natsctl import Broker\n"
        "async def main():\n    async with Broker(): pass\n"
        "asyncio.run(main())\n"
        "print({'uvicorn', 'starlette', 'psutil', 'prometheus_client'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_ports_file_of_a_server_names_the_pages(tmp_path: Path) -> None:
    with running_server(NATSCTL, tmp_path, 'http: "127.0.0.1:-1"', "pure") as server:
        (file,) = tmp_path.glob("*.ports")
        assert json.loads(file.read_text())["monitoring"] == [f"http://127.0.0.1:{monitor_port(server)}"]


# ---- HTTP


@pytest.mark.parametrize(
    "request_line", [b"get /healthz HTTP/1.0", b"HEALTH /healthz HTTP/1.0", b"OPTIONS /healthz HTTP/1.0"]
)
async def test_load_balancers_may_use_any_method_and_http_1_0(request_line: bytes) -> None:
    async with monitored() as broker:
        answer = await raw(broker, request_line + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b'\r\n\r\n{"status":"ok"}')


async def test_a_path_must_be_exact() -> None:
    async with monitored() as broker:
        for path in ("/nope", "/varz/", "/VARZ", "//varz", "/connz/x"):
            answer = await get(broker, path)
            assert (answer.status, answer.text) == (404, "404 page not found\n")
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"


async def test_requests_are_answered_one_after_the_other_on_one_connection() -> None:
    async with monitored() as broker:
        request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        answer = await raw(broker, request * 9 + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert answer.count(b'{"status":"ok"}') == 10


async def test_requests_are_counted_by_page_whatever_their_outcome() -> None:
    async with monitored(http_base_path="/x") as broker:
        base = f"http://127.0.0.1:{broker.monitor_url.split(':')[2].partition('/')[0]}"
        port = int(base.rpartition(":")[2])
        for path in ("/x/connz", "/x/connz?sort=bogus", "/x/subscriptionsz", "/x/varz"):
            await asyncio.to_thread(ask, port, path)
        counted = (await asyncio.to_thread(ask, port, "/x/varz")).document["http_req_stats"]
        assert counted == {"/connz": 2, "/subsz": 1, "/varz": 2}


# ---- the facts


async def test_traffic_of_connections_that_ended_still_counts() -> None:
    async with monitored() as broker:
        client = await WireClient.open(broker.port, name="gone", protocol=0)
        await client.send(b"SUB foo 1\r\nPUB foo 2\r\nhi\r\n")
        await client.sync()
        await client.leave()
        varz = await document(broker, "/varz")
        assert (varz["connections"], varz["total_connections"]) == (0, 1)
        assert (varz["in_msgs"], varz["in_bytes"], varz["out_msgs"], varz["out_bytes"]) == (1, 2, 1, 2)
        (account,) = (await document(broker, "/accstatz?unused=1"))["account_statz"][:1]
        assert (account["acc"], account["conns"], account["sent"]["msgs"]) == ("$G", 0, 1)


async def test_a_closed_connection_keeps_what_it_was() -> None:
    async with monitored() as broker:
        client = await WireClient.open(broker.port, name="gone", lang="x", version="9", protocol=0)
        await client.send(b"SUB foo 1\r\nSUB bar q 2\r\nPUB foo 2\r\nhi\r\n")
        await client.sync()
        await client.leave()
        (row,) = (await document(broker, "/connz?state=closed&subs=detail"))["connections"]
        assert (row["name"], row["lang"], row["version"], row["reason"]) == ("gone", "x", "9", "Client Closed")
        assert (row["subscriptions"], row["out_msgs"]) == (2, 1)
        subs = [(sub["subject"], sub.get("qgroup"), sub["msgs"]) for sub in row["subscriptions_list_detail"]]
        assert subs == [("foo", None, 1), ("bar", "q", 0)]


async def test_pings_are_no_activity_but_messages_and_subscriptions_are() -> None:
    async with monitored() as broker, await WireClient.open(broker.port, protocol=0) as client:

        async def last_activity() -> str:
            moment: str = (await document(broker, "/connz"))["connections"][0]["last_activity"]
            return moment

        await client.sync()
        before = await last_activity()
        await asyncio.sleep(0.01)  # a clock tick of the loop
        await client.sync()
        assert await last_activity() == before
        for said in (b"SUB foo 1\r\n", b"PUB foo 0\r\n\r\n"):
            await asyncio.sleep(0.01)
            await client.send(said)
            await client.sync()
            now = await last_activity()
            assert now > before
            before = now


async def test_a_delivery_is_activity_of_its_receiver() -> None:
    async with (
        monitored() as broker,
        await WireClient.open(broker.port, name="receiver", protocol=0) as receiver,
        await WireClient.open(broker.port, name="sender", protocol=0) as sender,
    ):
        await receiver.send(b"SUB foo 1\r\n")
        await receiver.sync()
        await asyncio.sleep(0.01)
        await sender.sync()
        rows = (await document(broker, "/connz?sort=last"))["connections"]
        assert rows[0]["name"] == "receiver"
        await sender.send(b"PUB foo 0\r\n\r\n")
        await receiver.read()
        first, second = (await document(broker, "/connz"))["connections"]
        assert first["last_activity"] >= second["last_activity"]


async def test_the_round_trip_is_finer_than_a_millisecond() -> None:
    async with monitored() as broker, await WireClient.open(broker.port, protocol=0) as client:
        await client.sync()
        (row,) = (await document(broker, "/connz"))["connections"]
        assert row["rtt"] not in ("0s", "1ms")


async def test_slow_consumers_are_counted_for_the_server_and_their_account() -> None:
    async with (
        monitored(max_pending=100_000, max_payload=65536) as broker,
        await WireClient.open(broker.port, receive_buffer=4096, name="slow", protocol=0) as slow,
        await WireClient.open(broker.port, name="sender", protocol=0) as sender,
    ):
        await slow.send(b"SUB foo 1\r\n")
        await slow.sync()
        while not (await document(broker, "/varz"))["slow_consumers"]:
            await sender.send((b"PUB foo 9000\r\n" + b"x" * 9000 + b"\r\n") * 20)
            await sender.sync()
        varz = await document(broker, "/varz")
        assert varz["slow_consumer_stats"]["clients"] == varz["slow_consumers"] == 1
        assert varz["stalled_clients"] > 0
        (account,) = (await document(broker, "/accstatz"))["account_statz"]
        assert account["slow_consumers"] == 1
        (closed,) = (await document(broker, "/connz?state=closed"))["connections"]
        assert closed["reason"] == "Slow Consumer (Pending Bytes)"


async def test_a_token_is_on_no_page() -> None:
    async with Broker(http_port=-1) as open_broker:
        options = open_broker.options
    options.authorization.token = "s3cr3t"
    async with Broker(options) as broker, await WireClient.open(broker.port, auth_token="s3cr3t") as client:
        await client.sync()
        for path in ("/varz", "/connz?auth=1&subs=detail", "/accountz?acc=$G", "/stacksz", "/debug/vars", "/metrics"):
            assert "s3cr3t" not in (await get(broker, path)).text


async def test_names_of_clients_are_text_whatever_they_hold() -> None:
    async with monitored() as broker, await WireClient.open(broker.port, name='a"\n</script>\u2028') as client:
        await client.sync()
        answer = await get(broker, "/connz")
        assert answer.document["connections"][0]["name"] == 'a"\n</script>\u2028'
        assert b"</script>" not in answer.body
        families = text_string_to_metric_families((await get(broker, "/metrics?connections=1")).text)
        names = {sample.labels.get("name") for family in families for sample in family.samples}
        assert 'a"\n</script>\u2028' in names


async def test_subscriptions_are_found_by_the_subject_they_receive() -> None:
    async with monitored() as broker, await WireClient.open(broker.port, protocol=0) as client:
        await client.send(b"SUB a.* 1\r\nSUB a.> q 2\r\nSUB a.b 3\r\nSUB b 4\r\n")
        await client.sync()
        found = await document(broker, "/subsz?subs=1&test=a.b")
        assert [row["sid"] for row in found["subscriptions_list"]] == ["1", "2", "3"]
        assert found["total"] == 3
        page = await document(broker, "/subsz?subs=1&acc=$G&limit=2&offset=1")
        assert [row["sid"] for row in page["subscriptions_list"]] == ["2", "3"]
        assert page["total"] == 8  # and the broker's own services


async def test_long_lists_are_whole_and_in_order() -> None:
    async with monitored() as broker:
        clients = [await WireClient.open(broker.port, protocol=0) for _ in range(200)]
        for client in clients:
            await client.sync()
        page = await document(broker, "/connz?subs=1")
        assert [row["cid"] for row in page["connections"]] == list(range(5, 205))
        assert page["num_connections"] == 200
        for client in clients:
            client.close()


async def test_varz_names_the_engine_and_our_own_version() -> None:
    async with monitored() as broker:
        varz = decode((await get(broker, "/varz")).body, Varz)
        assert varz.natsctl is not None
        assert varz.natsctl.engine == broker.engine.name
        assert varz.version == "2.15.1"


# ---- Prometheus


async def test_metrics_are_accepted_by_prometheus_own_parser() -> None:
    async with monitored() as broker, await WireClient.open(broker.port, name="c", protocol=0) as client:
        await client.send(b"SUB foo 1\r\nPUB foo 2\r\nhi\r\n")
        await client.sync()
        answer = await get(broker, "/metrics")
        families = {family.name: family for family in text_string_to_metric_families(answer.text)}
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert families["nats_server_up"].samples[0].value == 1
        received = families["nats_server_received_messages"]
        assert received.type == "counter"
        assert [(sample.labels, sample.value) for sample in received.samples] == [({"account": "$G"}, 1)]
        assert {name for name, family in families.items() if not family.documentation} == set()
        assert not any(name.startswith("nats_server_connection_") for name in families)


async def test_counters_end_in_total_and_gauges_do_not() -> None:
    async with monitored() as broker:
        for family in text_string_to_metric_families((await get(broker, "/metrics?connections=1")).text):
            assert family.type in ("counter", "gauge")
            for sample in family.samples:
                assert sample.name.endswith("_total") == (family.type == "counter")


async def test_every_metric_of_the_readme_is_there() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## Prometheus\n")[2].partition("\n## ")[0]
    promised = set(re.findall(r"`(nats_server_[a-z_]*[a-z])`", section))
    async with monitored() as broker:
        families = text_string_to_metric_families((await get(broker, "/metrics?connections=1")).text)
        given = {f"{family.name}{'_total' * (family.type == 'counter')}" for family in families}
    assert promised <= given
    assert len(promised) > 20


async def test_connections_are_metrics_only_on_request() -> None:
    async with monitored() as broker, await WireClient.open(broker.port, name="c", protocol=0) as client:
        await client.sync()
        text = (await get(broker, "/metrics?connections=1")).text
        assert 'nats_server_connection_pending_bytes{account="$G",cid="5",name="c"} 0.0' in text


async def test_closed_connections_are_counted_by_reason() -> None:
    async with monitored() as broker:
        client = await WireClient.open(broker.port, protocol=0)
        await client.send(b"NONSENSE\r\n")
        await client.read_to_end()
        client.close()
        text = (await get(broker, "/metrics")).text
        assert 'nats_server_closed_connections_total{reason="Protocol Violation"} 1.0' in text


# ---- clients that mean no good


@asynccontextmanager
async def undisturbed(broker: Broker) -> AsyncIterator[None]:
    """Check that messages are delivered while the block runs."""
    async with await WireClient.open(broker.port, protocol=0) as client:
        await client.send(b"SUB me 1\r\n")
        await client.sync()
        yield
        started = perf_counter()
        for _ in range(100):
            await client.send(b"PUB me 1\r\nx\r\n")
            assert await client.read() == b"MSG me 1 1\r\nx"
        assert perf_counter() - started < PATIENCE_S


async def test_a_request_that_does_not_come_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_PATIENCE_S", 0.2)
    async with monitored() as broker, undisturbed(broker):
        with suppress(ConnectionError):
            assert await raw(broker, b"GET /varz HTTP/1.1\r\nHost: x\r\nX-Slow: ") == b""


async def test_a_client_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_PATIENCE_S", 0.2)
    async with monitored() as broker:
        with suppress(ConnectionError):
            assert await raw(broker, b"") == b""


async def test_headers_without_end_are_refused() -> None:
    async with monitored() as broker, undisturbed(broker):
        with suppress(ConnectionError):
            answer = await raw(broker, b"GET /varz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1_048_576)
            assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x00\xff\r\n\r\n",
        b"PUB foo 5\r\nhello\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
        b"POST /varz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"CONNECT /varz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /varz HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_no_request_gets_no_page(
    nonsense: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(http, "_PATIENCE_S", 0.5)
    async with monitored() as broker, undisturbed(broker):
        with suppress(ConnectionError):
            answer = await raw(broker, nonsense)
            assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200"))
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_client_that_never_reads_is_cut_off_and_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_PATIENCE_S", 1.0)
    async with monitored() as broker, undisturbed(broker):
        with socket.socket() as greedy:
            greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            greedy.connect(("127.0.0.1", port_of(broker)))
            greedy.setblocking(False)
            request = b"GET /stacksz HTTP/1.1\r\nHost: x\r\n\r\n"
            loop = asyncio.get_running_loop()
            with pytest.raises(ConnectionError):
                async with asyncio.timeout(PATIENCE_S):
                    while True:
                        await loop.sock_sendall(greedy, request * 100)


async def test_too_many_connections_push_out_the_idle_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_MAX_CONNECTIONS", 8)
    async with monitored() as broker, undisturbed(broker):
        idle = [await asyncio.open_connection("127.0.0.1", port_of(broker)) for _ in range(20)]
        assert (await get(broker, "/healthz")).status == 200
        async with asyncio.timeout(PATIENCE_S):
            for reader, _ in idle[:12]:
                with suppress(ConnectionError):
                    assert await reader.read() == b""
        for _, writer in idle:
            writer.close()


async def test_a_fault_of_a_page_is_logged_and_harms_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with monitored() as broker:
        monkeypatch.setattr(broker.registry, "traffic", None)
        assert (await get(broker, "/varz")).status == 500
        assert "monitoring: TypeError" in caplog.text
        assert (await get(broker, "/healthz")).status == 200
