import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from natsctl.broker.logs import Level, syslog
from natsctl.broker.logs.logger import Logger
from natsctl.broker.logs.remote_syslog import open_remote_syslog
from natsctl.broker.logs.syslog import MAX_QUEUED, MAX_RECORD_BYTES, SyslogSink, open_syslog
from natsctl.errors import ServerError

TIMEOUT_S = 10.0
REMOTE_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)"


@contextmanager
def listening(family: int, kind: int, address: str | tuple[str, int]) -> Iterator[socket.socket]:
    with socket.socket(family, kind) as daemon:
        daemon.settimeout(TIMEOUT_S)
        daemon.bind(address)
        if kind == socket.SOCK_STREAM:
            daemon.listen()
        yield daemon


def read_all(daemon: socket.socket) -> list[str]:
    """Take one connection of a stream daemon and read it to its end."""
    connection, _ = daemon.accept()
    with connection, connection.makefile("rb") as file:
        return file.read().decode().splitlines()


@pytest.fixture
def socket_path(tmp_path: Path) -> str:
    return str(tmp_path / "log")


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_the_local_daemon_gets_records_of_its_facility(
    kind: int, socket_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syslog, "LOCAL_SOCKETS", ("/nowhere", socket_path))
    with listening(socket.AF_UNIX, kind, socket_path) as daemon:
        logger = Logger(open_syslog())
        logger.info("Server is ready")
        logger.close()
        if kind == socket.SOCK_DGRAM:
            record = daemon.recv(1024).decode()
        else:
            [record] = [f"{line}\n" for line in read_all(daemon)]
    assert re.fullmatch(rf"<29>\w{{3}} [ \d]\d \d\d:\d\d:\d\d natsctl\[{os.getpid()}\]: Server is ready\n", record)


def test_an_absent_local_daemon_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syslog, "LOCAL_SOCKETS", ("/nowhere/log",))
    with pytest.raises(ServerError, match=r"^cannot connect to syslog: no daemon listens at /nowhere/log$"):
        open_syslog()


@pytest.mark.parametrize(
    ("level", "priority"),
    [
        (Level.FATAL, 2),
        (Level.ERROR, 3),
        (Level.WARN, 4),
        (Level.INFO, 5),
        (Level.DEBUG, 7),
        (Level.TRACE, 5),
    ],
)
def test_a_remote_daemon_gets_records_with_severity_date_and_host(level: Level, priority: int) -> None:
    with listening(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)) as daemon:
        sink = open_remote_syslog(f"udp://127.0.0.1:{daemon.getsockname()[1]}")
        sink.write(level, "Server is ready")
        record = daemon.recv(1024).decode()
        sink.close()
    host = re.escape(socket.gethostname())
    assert re.fullmatch(rf"<{priority}>{REMOTE_TIME} {host} natsctl\[{os.getpid()}\]: Server is ready\n", record)


def test_records_over_tcp_are_lines() -> None:
    with listening(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)) as daemon:
        logger = Logger(open_remote_syslog(f"tcp://127.0.0.1:{daemon.getsockname()[1]}"))
        for number in range(100):
            logger.info(f"line {number}")
        logger.close()
        records = read_all(daemon)
    assert [record.split(": ")[1] for record in records] == [f"line {number}" for number in range(100)]


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_remote_url_may_name_a_unix_socket(kind: int, socket_path: str) -> None:
    with listening(socket.AF_UNIX, kind, socket_path) as daemon:
        sink = open_remote_syslog(f"unix://{socket_path}")
        sink.write(Level.INFO, "x")
        sink.close()
        record = daemon.recv(1024).decode() if kind == socket.SOCK_DGRAM else read_all(daemon)[0]
    assert record.startswith("<5>")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("udp://127.0.0.1", "invalid remote_syslog: missing host or port after udp://"),
        ("udp:127.0.0.1:514", "invalid remote_syslog: missing host or port after udp://"),
        ("tcp://:514", "invalid remote_syslog: missing host or port after tcp://"),
        ("unix://", "invalid remote_syslog: missing path after unix://"),
        ("localhost", 'invalid remote_syslog network "" (one of udp, tcp, unix)'),
        ("tls://host:514", 'invalid remote_syslog network "tls" (one of udp, tcp, unix)'),
        ("udp://host:65536", "invalid remote_syslog: host or port cannot be read"),
        ("unix:///nowhere/log", "cannot connect to syslog at unix:///nowhere/log: no such file or directory"),
    ],
)
def test_a_remote_url_that_leads_nowhere_ends_the_start(url: str, message: str) -> None:
    with pytest.raises(ServerError) as caught:
        open_remote_syslog(url)
    assert str(caught.value) == message


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("[::1]", "[::1]")])
def test_an_unreachable_remote_daemon_is_named_without_credentials(host: str, shown: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as closed:
        try:
            closed.bind((host.strip("[]"), 0))
        except OSError:
            pytest.skip(f"needs the loopback address {host}")
        port = closed.getsockname()[1]
        with pytest.raises(ServerError) as caught:
            open_remote_syslog(f"tcp://user:hunter2@{host}:{port}")
    assert str(caught.value) == f"cannot connect to syslog at tcp://{shown}:{port}: connection refused"


def test_a_daemon_that_comes_back_gets_the_next_records(socket_path: str) -> None:
    with listening(socket.AF_UNIX, socket.SOCK_DGRAM, socket_path) as daemon:
        sink = open_remote_syslog(f"unix://{socket_path}")
        sink.write(Level.INFO, "before")
        assert daemon.recv(1024).endswith(b"before\n")
    os.unlink(socket_path)
    with listening(socket.AF_UNIX, socket.SOCK_DGRAM, socket_path) as daemon:
        sink.write(Level.INFO, "after")
        assert daemon.recv(1024).endswith(b"after\n")
        sink.close()


def test_a_long_message_is_cut() -> None:
    with listening(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)) as daemon:
        sink = open_remote_syslog(f"udp://127.0.0.1:{daemon.getsockname()[1]}")
        sink.write(Level.TRACE, "x" * 100_000)
        record = daemon.recv(200_000)
        sink.close()
    assert len(record) == MAX_RECORD_BYTES
    assert record.endswith(b"xx\n")


@contextmanager
def stalled_sink() -> Iterator[tuple[SyslogSink, Callable[[], None], socket.socket]]:
    """A sink whose connection is lost and does not come back before it is told to."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    theirs.settimeout(TIMEOUT_S)
    may_connect = threading.Event()
    is_reconnecting = threading.Event()
    lost, other_end = socket.socketpair()
    other_end.close()
    connections = iter([lost])

    def connect() -> socket.socket:
        for connection in connections:
            return connection
        is_reconnecting.set()
        may_connect.wait(TIMEOUT_S)
        return ours

    sink = SyslogSink(connect, lambda level: level.label)
    sink.write(Level.INFO, "first")
    assert is_reconnecting.wait(TIMEOUT_S)
    with theirs:
        yield sink, may_connect.set, theirs
        may_connect.set()
        sink.close()


def test_records_beyond_the_queue_are_dropped_and_their_number_told() -> None:
    with stalled_sink() as (sink, go_on, daemon):
        for _ in range(MAX_QUEUED + 7):
            sink.write(Level.INFO, "x")
        go_on()
        texts = [daemon.recv(1024).decode().split(": ")[1] for _ in range(MAX_QUEUED + 2)]
    assert texts == ["first\n", "7 log lines lost\n", *["x\n"] * MAX_QUEUED]


def test_closing_does_not_wait_for_a_daemon_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syslog, "CLOSE_TIMEOUT_S", 0.01)
    with stalled_sink() as (sink, go_on, daemon):
        for _ in range(MAX_QUEUED):
            sink.write(Level.INFO, "x")
        sink.close()
        go_on()
        assert daemon.recv(1024).endswith(b"first\n")
