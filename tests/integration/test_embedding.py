"""A broker inside a Python program: on its event loop, or in a thread beside blocking code."""

from __future__ import annotations

import gc
import logging
import socket
import subprocess
import sys
import threading
from pathlib import Path

import nats
import pytest
from nats.errors import NoRespondersError

from natsctl import Broker, Options
from natsctl.broker.connection import Connection
from natsctl.errors import AuthError, ConfigError, ServerError
from natsctl.ops.connection import connect
from natsctl.ops.settings import Settings
from natsctl.testing import BrokerThread, run_broker


def talk(server: BrokerThread, sent: bytes, end: bytes = b"PONG\r\n") -> bytes:
    """Say something on a plain socket, and read up to the end of the answer."""
    with socket.create_connection((server.host, server.port), timeout=5) as sock:
        sock.sendall(sent)
        answer = b""
        while not answer.endswith(end):
            chunk = sock.recv(65536)
            assert chunk, answer
            answer += chunk
        return answer


def is_listening(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


# ---- on the event loop


async def test_a_broker_serves_clients_of_the_same_event_loop() -> None:
    async with Broker() as broker:
        client = await nats.connect(broker.url)
        subscription = await client.subscribe("greetings.*")
        await client.publish("greetings.en", b"hello", headers={"Tone": "warm"})
        message = await subscription.next_msg(timeout=5)
        assert (message.subject, message.data, message.headers) == ("greetings.en", b"hello", {"Tone": "warm"})
        with pytest.raises(NoRespondersError):
            await client.request("nobody.there", timeout=5)
        await client.close()


async def test_a_broker_listens_on_a_free_port_of_this_machine_only() -> None:
    async with Broker() as one, Broker() as two:
        assert one.host == two.host == "127.0.0.1"
        assert 0 < one.port != two.port > 0
        assert one.url == f"nats://127.0.0.1:{one.port}"


async def test_options_are_given_as_a_value_or_one_by_one() -> None:
    async with Broker(Options(host="127.0.0.1", port=-1, max_payload=512), server_name="embedded") as broker:
        client = await nats.connect(broker.url)
        assert client.max_payload == 512
        assert client._server_info["server_name"] == "embedded"
        await client.close()


def test_an_option_that_does_not_exist_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="no such option: max_paylod"):
        Broker(max_paylod=512)


async def test_brokers_in_one_program_do_not_hear_each_other() -> None:
    async with Broker() as one, Broker() as two:
        here, there = await nats.connect(one.url), await nats.connect(two.url)
        subscription = await there.subscribe(">")
        await there.flush()
        control = await here.subscribe(">")
        await here.publish("greetings")
        await control.next_msg(timeout=5)
        await there.flush()
        assert subscription.pending_msgs == 0
        await here.close()
        await there.close()


async def test_a_broker_reads_a_configuration_file(tmp_path: Path) -> None:
    config = tmp_path / "nats.conf"
    config.write_text('listen: "127.0.0.1:-1"\nauthorization { token: "let-me-in" }\n')
    async with Broker.from_config(str(config)) as broker:
        async with connect(Settings(servers=(broker.url,), token="let-me-in")) as connection:
            assert connection.is_up
        with pytest.raises(AuthError, match="authorization violation"):
            async with connect(Settings(servers=(broker.url,))):
                pass


async def test_a_port_in_use_is_a_server_error() -> None:
    async with Broker() as broker:
        with pytest.raises(ServerError, match=f"127.0.0.1:{broker.port}.*address already in use"):
            await Broker(port=broker.port).start()


async def test_a_stopped_broker_lets_go_of_its_port_and_its_clients() -> None:
    async with Broker() as broker:
        client = await nats.connect(broker.url, allow_reconnect=False)
        assert is_listening(broker.port)
    assert not is_listening(broker.port)
    assert not list(broker.registry)
    await client.close()


# ---- in a thread


def test_a_thread_serves_blocking_clients() -> None:
    with run_broker() as server:
        answer = talk(server, b"SUB foo 1\r\nPUB foo 5\r\nhello\r\nPING\r\n")
    assert b"MSG foo 1 5\r\nhello\r\n" in answer


def test_a_thread_serves_other_processes() -> None:
    with run_broker() as server:
        command = [sys.executable, "-m", "natsctl", "rtt", "-s", server.url, "--json"]
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        assert server.broker.registry.total == 1


def test_nothing_is_left_when_the_block_ends() -> None:
    def left() -> tuple[int, int]:
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0

    with run_broker():  # what is imported for the first one stays
        pass
    before = left()
    with run_broker() as server, socket.create_connection((server.host, server.port)) as forgotten:
        assert forgotten.recv(4) == b"INFO"
        assert left() > before
        server.stop()
        server.stop()
    assert left() == before


def test_what_goes_wrong_in_the_block_is_raised_and_stops_the_broker() -> None:
    with pytest.raises(ZeroDivisionError), run_broker() as server:
        1 / 0  # noqa: B018  # something goes wrong
    assert not is_listening(server.port)


def test_a_broker_comes_back_where_it_was() -> None:
    with run_broker(max_payload=512) as server:
        url = server.url
        server.stop()
        assert not is_listening(server.port)
        server.start()
        assert server.url == url
        assert b'"max_payload":512' in talk(server, b"PING\r\n")


def test_a_running_broker_is_not_started_again() -> None:
    with run_broker() as server, pytest.raises(ServerError, match="running already"):
        server.start()


def test_a_configuration_comes_from_a_file_or_a_text(tmp_path: Path) -> None:
    text = "max_payload: 1KB\nlisten: 0.0.0.0:4222\nhttp_port: 0\n"
    (tmp_path / "nats.conf").write_text(text)
    for given in ({"config": tmp_path / "nats.conf"}, {"config_text": text}):
        with run_broker(**given) as server:
            assert server.options.max_payload == 1024
            assert server.host == "127.0.0.1", "a broker for tests is for this machine only"
            assert server.port != 4222
        with run_broker(**given, max_payload=99) as server:
            assert server.options.max_payload == 99


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"config": "nats.conf", "config_text": ""}, TypeError, "exclude each other"),
        ({"max_paylod": 1}, TypeError, "no such option: max_paylod"),
        ({"config": "nowhere/nats.conf"}, ConfigError, "nowhere/nats.conf: no such file"),
        ({"config_text": "max_paylod: 1"}, ConfigError, "config_text:1:1: .*max_payload"),
        ({"config_text": "jetstream: enabled"}, ConfigError, "config_text:1:1: .*jetstream"),
        ({"host": "192.0.2.1"}, ServerError, "192.0.2.1"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_broker_that_cannot_start_says_why_and_leaves_no_thread(
    options: dict[str, str], error: type[Exception], text: str
) -> None:
    before = threading.active_count()
    with pytest.raises(error, match=text), run_broker(**options):
        raise AssertionError("it started")
    assert threading.active_count() == before


def test_a_failure_inside_the_broker_is_raised_where_it_is_stopped() -> None:
    with pytest.raises(ServerError, match="the broker failed while it ran: ZeroDivisionError"), run_broker() as server:
        server._loop.call_soon_threadsafe(lambda: 1 / 0)


def test_a_broker_that_ended_by_itself_is_told_of_where_it_is_stopped() -> None:
    with pytest.raises(ServerError, match="the broker failed while it ran: SystemExit"), run_broker() as server:
        server._loop.call_soon_threadsafe(sys.exit)


def test_a_thread_without_an_event_loop_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError("too many open files")

    monkeypatch.setattr("asyncio.new_event_loop", fail)
    monkeypatch.setattr("asyncio.events.new_event_loop", fail)
    with pytest.raises(OSError, match="too many open files"), run_broker():
        raise AssertionError("it started")


def test_the_log_goes_to_the_logging_module(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "natsctl.broker")
    with run_broker() as server:
        assert f"Listening for client connections on 127.0.0.1:{server.port}" in caplog.messages


def test_what_is_doubtful_in_a_configuration_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with run_broker(config_text="# nothing"):
        assert "config_text: the configuration is empty" in caplog.messages


def test_a_program_without_pytest_can_run_a_broker() -> None:
    program = """
import sys
sys.modules["pytest"] = None
import unittest
from natsctl.ops.connection import connect
from natsctl.ops.settings import Settings
from natsctl.testing import run_broker

class GreetingsTest(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(run_broker())

    def test_the_broker_is_there(self):
        self.assertIn("nats://127.0.0.1:", self.server.url)

unittest.main()
"""
    shown = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=30)
    assert shown.returncode == 0, shown.stderr
    assert shown.stderr.endswith("OK\n")


async def test_closed_connections_are_freed_without_the_garbage_collector() -> None:
    """A full collection stops a broker with thousands of connections for too long."""
    gc.collect()
    gc.disable()
    try:
        async with Broker() as broker:
            for _ in range(5):
                client = await nats.connect(broker.url)
                await client.subscribe("greetings")
                await client.flush()
                await client.close()
        left = [thing for thing in gc.get_objects() if isinstance(thing, Connection) and thing._host is broker]
        assert left == []
    finally:
        gc.enable()
