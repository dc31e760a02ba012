"""What the official server writes in the same situation, as the truth for lines, quoting, redaction and files."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from natsctl.broker.logs import open_logger
from natsctl.broker.processfiles import PortsFile, write_pid_file
from natsctl.broker.redact import trace_op, trace_payload
from natsctl.broker.signals import send_signal
from natsctl.config.options import LogOptions
from natsctl.errors import ServerError

NATS_SERVER = shutil.which("nats-server") or "nats-server"
EVERYDAY_TEXT = "".join(chr(code) for code in range(0x3000) if chr(code).isprintable())


class Official:
    """A running nats-server and one client of it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.lines: list[str] = []
        listening = self.line_with("Listening for client connections on")
        self.port = int(listening.rpartition(":")[2])
        self.line_with("Server is ready")

    def line_with(self, text: str) -> str:
        """Read the log up to the first line that contains a text."""
        assert self.process.stderr is not None
        for raw in self.process.stderr:
            self.lines.append(raw.decode("utf-8", "surrogateescape").removesuffix("\n"))
            if text in self.lines[-1]:
                return self.lines[-1]
        raise AssertionError(f"no line with {text!r} in {self.lines}")

    def traced(self, wire: bytes, text: str) -> str:
        """Send bytes and return what the first incoming trace line with a text has behind its arrow."""
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.sendall(wire)
            return self.line_with(text).split(" <<- ", 1)[1]


@contextmanager
def running(*flags: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([NATS_SERVER, "-a", "127.0.0.1", "-p", "-1", *flags], stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def nats_server(*flags: str) -> Iterator[Official]:
    with running(*flags) as process:
        yield Official(process)


def wait_until_said(file: Path, text: str) -> None:
    """Wait for another process to write a text to a file; the test's own time limit ends a long wait."""
    while True:
        try:
            if text in file.read_text():
                return
        except FileNotFoundError:
            pass
        time.sleep(0.01)  # no event tells of it


@pytest.fixture(scope="module")
def tracing() -> Iterator[Official]:
    with nats_server("-DV") as official:
        yield official


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def masked(line: str, pid: int) -> str:
    """Blank out what differs between two processes: their pid, the time, ports and ids."""
    line = line.replace(str(pid), "PID")
    line = re.sub(r"\d{4}([./-])\d\d\1\d\d[ T.]\d\d([:.])\d\d\2\d\d(Z|[+-]\d\d:\d\d|\.\d+)", "TIME", line)
    return re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", line)


@pytest.mark.parametrize(
    "payload",
    [bytes(range(256)), EVERYDAY_TEXT.encode(), b"\xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf\xe2\x82A", b"x" * 100_000],
    ids=["bytes", "text", "not utf-8", "long"],
)
def test_payloads_are_traced_alike(tracing: Official, payload: bytes) -> None:
    wire = b"PUB foo %d\r\n%s\r\n" % (len(payload), payload)
    assert trace_payload(payload) == tracing.traced(wire, "<<- MSG_PAYLOAD")


def test_payloads_beyond_the_limit_are_traced_alike() -> None:
    with nats_server("-V", "-max_traced_msg_len", "4") as official:
        for payload in (b"abc", b"abcd", b"abcde", b'\r\n"\\', "ééé".encode(), "aéé".encode()):
            wire = b"PUB foo %d\r\n%s\r\n" % (len(payload), payload)
            assert trace_payload(payload, 4) == official.traced(wire, "<<- MSG_PAYLOAD")


@pytest.mark.parametrize(
    ("verb", "args"), [(b"PUB", b"foo bar 0"), (b"SUB", b"foo.* q\t1"), (b"PING", b""), (b"UNSUB", b"1 5")]
)
def test_control_lines_are_traced_alike(tracing: Official, verb: bytes, args: bytes) -> None:
    wire = b" ".join(filter(None, (verb, args))) + (b"\r\n\r\n" if verb == b"PUB" else b"\r\n")
    assert trace_op(verb, args) == tracing.traced(wire, f"<<- [{verb.decode()}")


@pytest.mark.parametrize(
    "document",
    [
        {"user": "a", "pass": "s3cret!", "name": "n", "lang": "python3", "verbose": False},
        {"auth_token": "t", "protocol": 1, "echo": True},
        {"nkey": "UABC", "sig": "c2ln", "name": "café"},
        {"pass": "", "user_pass": "x", "passcode": "y", "proxy_sig": "z", "signature": "s", "nkeys": "k"},
        {"pass": 123, "auth_token": None, "sig": "x"},
    ],
)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_everyday_credentials_are_redacted_alike(
    tracing: Official, document: dict[str, object], separators: tuple[str, str]
) -> None:
    args = json.dumps(document, separators=separators, ensure_ascii=False).encode()
    assert trace_op(b"CONNECT", args) == tracing.traced(b"CONNECT " + args + b"\r\n", "<<- [CONNECT")


@pytest.mark.parametrize("flags", [[], ["-T=false"], ["--logtime_utc"]])
def test_lines_look_alike(flags: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with nats_server(*flags) as official:
        theirs = official.lines[-1]
    logger = open_logger(LogOptions(logtime="-T=false" not in flags, logtime_utc="--logtime_utc" in flags))
    logger.info("Server is ready")
    ours = capfd.readouterr().err.removesuffix("\n")
    assert masked(ours, os.getpid()) == masked(theirs, official.process.pid)


@pytest.mark.usefixtures("umask")
def test_log_files_are_rotated_and_reopened_alike(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours" / "nats.log", tmp_path / "theirs" / "nats.log"
    for path in (ours, theirs):
        path.parent.mkdir()
        path.write_text("x" * 10_000 + "\n")
    with running("-l", str(theirs), "--log_size_limit", "9000") as process:
        wait_until_said(theirs, "Server is ready")
        process.send_signal(signal.SIGUSR1)
        wait_until_said(theirs, "File log re-opened")

    logger = open_logger(LogOptions(log_file=str(ours), logfile_size_limit=9000))
    logger.reopen()
    logger.close()

    def told(directory: Path, pid: int) -> list[tuple[str, int, list[str]]]:
        """Names, modes and lines of the files about the file itself."""
        return [
            (
                masked(file.name, pid),
                stat.S_IMODE(file.stat().st_mode),
                [
                    masked(line, pid).replace(directory.name, "")
                    for line in file.read_text().splitlines()
                    if re.search(r"Rotat|re-opened|xxx", line)
                ],
            )
            for file in sorted(directory.iterdir())
        ]

    assert told(ours.parent, os.getpid()) == told(theirs.parent, process.pid)


def test_syslog_records_look_alike() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.settimeout(10)
        daemon.bind(("127.0.0.1", 0))
        url = f"udp://127.0.0.1:{daemon.getsockname()[1]}"
        with running("-D", "-r", url) as process:
            theirs = [daemon.recv(2048).decode() for _ in range(4)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.settimeout(10)
        daemon.bind(("127.0.0.1", 0))
        url = f"udp://127.0.0.1:{daemon.getsockname()[1]}"
        logger = open_logger(LogOptions(remote_syslog=url, debug=True))
        for record in theirs:
            say = logger.debug if record.startswith("<7>") else logger.info
            say(record.split("]: ")[1].removesuffix("\n"))
        ours = [daemon.recv(2048).decode() for _ in range(4)]
        logger.close()
    assert [masked(record, os.getpid()) for record in ours] == [
        masked(record, process.pid).replace("nats-server[", "natsctl[") for record in theirs
    ]


@pytest.mark.usefixtures("umask")
def test_process_files_look_alike(tmp_path: Path) -> None:
    with nats_server("-P", str(tmp_path / "theirs.pid"), "--ports_file_dir", str(tmp_path)) as official:
        ports_file = tmp_path / f"nats-server_{official.process.pid}.ports"
        wait_until_said(ports_file, "}")
        theirs = (ports_file.read_bytes(), stat.S_IMODE(ports_file.stat().st_mode))
        ours = PortsFile(str(tmp_path), {"nats": [f"nats://127.0.0.1:{official.port}"], "monitoring": []})
        ours.write()
        assert (Path(ours.path).read_bytes(), stat.S_IMODE(os.stat(ours.path).st_mode)) == theirs
        assert Path(ours.path).name == ports_file.name.replace("nats-server", "natsctl").replace(
            str(official.process.pid), str(os.getpid())
        )
        ours.remove()
    assert not ports_file.exists()
    write_pid_file(str(tmp_path / "ours.pid"))
    for name, pid in (("ours", os.getpid()), ("theirs", official.process.pid)):
        file = tmp_path / f"{name}.pid"
        assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (str(pid), 0o600)


@pytest.mark.parametrize(
    "spec", ["reload=abc", "bogus=99999999", "reload=99999999", "reload=a=b=c", "reload=9x*", "reload=/tmp"]
)
def test_signals_are_refused_alike(spec: str) -> None:
    theirs = subprocess.run([NATS_SERVER, "--signal", spec], capture_output=True, text=True, check=False).stderr
    with pytest.raises(ServerError) as caught:
        send_signal(spec)
    assert str(caught.value).split() == theirs.removeprefix("nats-server: ").split()
