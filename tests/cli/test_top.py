"""``natsctl top`` where there is no screen, before the official server and ours."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.cli.conftest import PATIENCE_S, Shell
from tests.cli.monitored import Monitored, monitored, server
from tests.support.canned import http_answer, port_that_says

__all__ = ["server"]

TRAFFIC = "SUB greetings 1\nPUB greetings 5\nhello\nPUB greetings 5\nhello\n"
COLUMNS = "HOST CID NAME SUBS PENDING MSGS_TO MSGS_FROM BYTES_TO BYTES_FROM LANG VERSION UPTIME LAST_ACTIVITY"
QUOTED = 'we, the "best"'


def at(server: Monitored) -> tuple[str, str]:
    return "-m", str(server.port)


class TestTable:
    def test_has_the_header_and_the_columns_of_nats_top(self, natsctl: Shell, server: Monitored) -> None:
        with server.connected(TRAFFIC, name="first", lang="go", version="1.2"):
            done = natsctl("top", *at(server), "--once")
        assert done.code == 0, done.err
        lines = done.out.decode().splitlines()
        assert re.fullmatch(r"NATS server version 2\.15\.1 \(uptime: \d+m?\d*s\)", lines[0])
        assert lines[1] == "Server:"
        assert re.fullmatch(r"  ID:   N[A-Z0-9]{55}", lines[2])
        assert re.fullmatch(r"  Load: CPU:  \d+\.\d%  Memory: \d+\.\dM  Slow Consumers: 0", lines[3])
        assert re.fullmatch(r"  In:   Msgs: \d+  Bytes: \d+  Msgs/Sec: 0\.0  Bytes/Sec: 0", lines[4])
        assert re.fullmatch(r"  Out:  Msgs: \d+  Bytes: \d+  Msgs/Sec: 0\.0  Bytes/Sec: 0", lines[5])
        assert lines[6:8] == ["", "Connections Polled: 1"]
        assert " ".join(lines[9].split()) == COLUMNS
        host, _cid, *row = lines[10].split()[:-4]
        assert host.startswith("127.0.0.1:")
        assert row[:-1] == ["first", "1", "0", "2", "2", "10", "10", "go", "1.2"]
        assert lines[10].endswith(" +0000 UTC")
        assert lines[10].startswith("  127.0.0.1")

    def test_has_names_only_when_a_connection_has_one(self, natsctl: Shell, server: Monitored) -> None:
        with server.connected():
            assert b"NAME" not in natsctl("top", *at(server), "--once", "--no-rates").out

    def test_lists_subjects_on_request(self, natsctl: Shell, server: Monitored) -> None:
        with server.connected("SUB a.> 1\nSUB b q 2\n"):
            done = natsctl("top", *at(server), "-o", "-", "-u")
        line = done.out.decode().rstrip().splitlines()[-1]
        assert line.endswith(("a.>, b", "b, a.>"))

    def test_shortens_numbers_unless_they_are_to_be_raw(self, natsctl: Shell, server: Monitored) -> None:
        with server.connected(f"PUB a 2048\n{'x' * 2048}\n"):
            short = natsctl("top", *at(server), "--once").out.decode().splitlines()[-2].split()
            raw = natsctl("top", *at(server), "--once", "-b").out.decode().splitlines()[-2].split()
        assert "2.0K" in short
        assert "2048" in raw
        assert "2.0K" not in raw

    def test_without_a_second_reading_says_that_it_knows_no_rates(self, natsctl: Shell, server: Monitored) -> None:
        done = natsctl("top", *at(server), "--once", "--no-rates")
        assert b"Msgs/Sec: -  Bytes/Sec: -" in done.out

    def test_holds_names_that_would_command_the_terminal(self, natsctl: Shell, server: Monitored) -> None:
        with server.connected(name="\x1b[2J\x07evil\nname"):
            done = natsctl("top", *at(server), "--once", "--no-rates")
        assert b"\x1b" not in done.out
        assert b"?[2J?evil name" in done.out

    def test_is_sorted_and_limited_by_the_server(self, natsctl: Shell, server: Monitored) -> None:
        with server.connected("SUB a 1\n", name="one"), server.connected("SUB a 1\nSUB b 2\n", name="two"):
            done = natsctl("top", *at(server), "--once", "-sort", "subs", "-n", "1")
        assert b"Connections Polled: 1\n" in done.out
        assert b" two " in done.out
        assert b" one " not in done.out

    def test_shows_host_names_on_request(self, natsctl: Shell, server: Monitored) -> None:
        try:
            name = socket.gethostbyaddr("127.0.0.1")[0]
        except OSError:
            name = "127.0.0.1"
        with server.connected() as sock:
            done = natsctl("top", *at(server), "--once", "-lookup")
            assert f"  {name}:{sock.getsockname()[1]} " in done.out.decode()

    def test_goes_into_a_file(self, natsctl: Shell, server: Monitored, tmp_path: Path) -> None:
        done = natsctl("top", *at(server), "-o", str(tmp_path / "top.txt"), "-r", "2", "-d", "0.1")
        assert done.out == b""
        assert (tmp_path / "top.txt").read_text().count("NATS server version") == 2


class TestDelimited:
    def test_cells_are_those_of_nats_top_and_quoted_where_need_be(self, natsctl: Shell, server: Monitored) -> None:
        with server.connected(TRAFFIC, name=QUOTED):
            done = natsctl("top", *at(server), "-o", "-", "-l", ",")
        rows = list(csv.reader(io.StringIO(done.out.decode())))
        assert rows[4][0:2] == ["In:", "Msgs:"]
        names, connection = rows[9], rows[10]
        assert names[:4] == ["HOST", "CID", "NAME", "SUBS"]
        assert connection[2] == QUOTED
        assert len(connection) == len(names)

    def test_the_column_of_names_is_always_there(self, natsctl: Shell, server: Monitored) -> None:
        with server.connected():
            assert b"HOST\tCID\tNAME" in natsctl("top", *at(server), "--once", "-l", r"\t").out

    @pytest.mark.parametrize("delimiter", ["::", "", '"'])
    def test_a_delimiter_is_one_character(self, natsctl: Shell, delimiter: str) -> None:
        done = natsctl("top", "-o", "-", "-l", delimiter)
        assert done.code == 2
        assert "the delimiter must be one character" in done.err


class TestForPrograms:
    def test_csv_has_full_numbers_and_survives_any_name(self, natsctl: Shell, server: Monitored) -> None:
        with server.connected(f"SUB a 1\nPUB b 2048\n{'x' * 2048}\n", name=f"{QUOTED}\nline"):
            done = natsctl("top", *at(server), "--format", "csv", "-r", "2", "-d", "0.1", "-u")
        first, second = csv.DictReader(io.StringIO(done.out.decode()))
        assert first["name"] == f"{QUOTED}\nline"
        assert first["in_bytes"] == "2048"
        assert first["in_msgs_per_s"] == "0.000"
        assert first["subscriptions_list"] == "a"
        assert first["server"] == f"http://127.0.0.1:{server.port}"
        assert first["taken_at"] < second["taken_at"]

    def test_json_is_versioned_and_has_the_documents_of_the_server(self, natsctl: Shell, server: Monitored) -> None:
        with server.connected(TRAFFIC, name="first"):
            document = json.loads(natsctl("top", *at(server), "--once", "--format", "json").out)
        assert document["natsctl_top"] == 1
        assert document["error"] == ""
        assert document["varz"]["connections"] == 1
        [connection] = document["connections"]
        assert (connection["name"], connection["in_msgs"]) == ("first", 2)
        assert connection["rates"]["in_msgs_per_s"] == 0.0
        assert document["rates"]["interval_s"] == pytest.approx(0.5, abs=0.4)

    def test_rates_are_divided_by_the_time_between_the_readings(self, natsctl: Shell, server: Monitored) -> None:
        with server.connected() as sock:
            running = natsctl.start("top", *at(server), "-r", "0", "-d", "0.25", "--format", "json")
            assert running.process.stdout
            before = json.loads(running.process.stdout.readline())
            sock.sendall(b"PUB a 5\r\nhello\r\n" * 100 + b"PING\r\n")
            assert sock.recv(64)
            rates: list[float] = []
            while not any(rates):
                document = json.loads(running.process.stdout.readline())
                rates.append(document["rates"]["in_msgs_per_s"] * document["rates"]["interval_s"])
        assert rates[-1] == pytest.approx(document["varz"]["in_msgs"] - before["varz"]["in_msgs"], abs=0.01) == 100


class TestSeveralServers:
    def test_each_is_named_and_one_that_is_down_spoils_nothing(self, natsctl: Shell, server: Monitored) -> None:
        urls = [f"http://localhost:{server.port}", f"127.0.0.1:{server.port}", "127.0.0.1:1"]
        done = natsctl("top", "-s", ",".join(urls[:2]), "-s", urls[2], "--once")
        assert done.code == 0
        assert done.err == "127.0.0.1:1 refuses connections\n"
        named = re.findall(r"^Server: (.*)$", done.out.decode(), re.MULTILINE)
        assert sorted(named) == [f"http://127.0.0.1:{server.port}", urls[0]]

    def test_none_that_answers_exits_6(self, natsctl: Shell) -> None:
        done = natsctl("top", "-s", "127.0.0.1:1,localhost:1", "--once")
        assert done.code == 6
        assert done.out == b""
        assert done.err.splitlines()[-1] == "natsctl: no server could be read"

    def test_a_cluster_is_found_through_one_of_its_servers(self, natsctl: Shell, tmp_path: Path) -> None:
        """Servers on addresses of their own with the same monitoring port, as on machines of their own."""
        with socket.socket() as listener, socket.socket() as other:
            listener.bind(("", 0))
            other.bind(("", 0))
            http, cluster = listener.getsockname()[1], other.getsockname()[1]
        route = f'routes: ["nats://127.0.0.1:{cluster}"], pool_size: -1'

        def member(ip: str) -> str:
            return f'server_name: "at-{ip}"\ncluster {{ name: K, listen: "{ip}:{cluster}", {route} }}'

        with (
            monitored("official", tmp_path / "a", member("127.0.0.2"), f"127.0.0.2:{http}"),
            monitored("official", tmp_path / "b", member("127.0.0.1"), f"127.0.0.1:{http}"),
        ):
            deadline = time.monotonic() + PATIENCE_S
            while b"127.0.0.1" not in natsctl("routez", "-s", f"127.0.0.2:{http}").out:
                assert time.monotonic() < deadline
            done = natsctl("top", "-s", f"127.0.0.2:{http}", "--cluster", "--once")
        assert done.code == 0, done.err
        assert set(re.findall(r"^Server: (.*)  ?http", done.out.decode(), re.MULTILINE)) == {
            "at-127.0.0.1",
            "at-127.0.0.2",
        }

    def test_a_base_path_is_part_of_the_address(self, natsctl: Shell, tmp_path: Path) -> None:
        with monitored("official", tmp_path, 'http_base_path: "/nats"') as server:
            assert natsctl("top", *at(server), "--base-path", "nats", "--once").code == 0
            assert natsctl("top", "-s", f"http://127.0.0.1:{server.port}/nats", "--once").code == 0
            lost = natsctl("top", *at(server), "--once")
        assert lost.code == 6
        assert "hint: give the http_base_path of the server, if it has one: --base-path PATH" in lost.err


class TestRecording:
    def test_a_replay_is_what_was_seen_live(self, natsctl: Shell, server: Monitored, tmp_path: Path) -> None:
        file = str(tmp_path / "seen.ndjson.gz")
        with server.connected(TRAFFIC, name="first"):
            live = natsctl("top", *at(server), "--record", file, "-r", "4", "-d", "0.1", "--format", "json", "-u")
        assert live.code == 0, live.err
        replayed = natsctl("top", "--replay", file, "--speed", "1000", "-r", "0", "--format", "json")
        assert replayed.lines == live.lines
        assert len(replayed.lines) == 4

    @pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
    def test_a_signal_leaves_a_readable_file(
        self, natsctl: Shell, server: Monitored, tmp_path: Path, sent: signal.Signals
    ) -> None:
        file = tmp_path / "seen.ndjson.gz"
        running = natsctl.start(
            "top", *at(server), "--record", str(file), "--headless", "-d", "0.05", until="recording http"
        )
        deadline = time.monotonic() + PATIENCE_S
        while file.stat().st_size < 2000:
            assert time.monotonic() < deadline
            time.sleep(0.02)  # a file cannot be awaited
        done = running.finish(sent)
        assert done.code == 128 + sent
        assert done.out == b""
        assert file.stat().st_mode & 0o777 == 0o600
        replayed = natsctl("top", "--replay", str(file), "--speed", "1000", "-r", "0", "--format", "json")
        assert len(replayed.lines) > 1

    def test_what_is_kept_for_some_time_is_replayed_by_its_name(
        self, natsctl: Shell, server: Monitored, tmp_path: Path
    ) -> None:
        file = str(tmp_path / "day.ndjson")
        recorded = natsctl("top", *at(server), "--record", file, "--keep", "24h", "--headless", "-r", "3", "-d", "0.1")
        assert recorded.code == 0, recorded.err
        [segment] = tmp_path.glob("day.*.ndjson")
        assert segment.stat().st_mode & 0o777 == 0o600
        assert len(natsctl("top", "--replay", file, "--speed", "1000", "-r", "0", "--format", "json").lines) == 2

    def test_outage_and_restart_are_in_the_record_without_absurd_rates(self, natsctl: Shell, tmp_path: Path) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            http = listener.getsockname()[1]
        address = f"127.0.0.1:{http}"
        with monitored("natsctl", tmp_path / "first", address=address) as server, server.connected(TRAFFIC):
            running = natsctl.start("top", *at(server), "-r", "0", "-d", "0.1", "--format", "json")
            assert running.process.stdout
            documents = [json.loads(running.process.stdout.readline())]
        while not documents[-1]["error"]:
            documents.append(json.loads(running.process.stdout.readline()))
        assert documents[-1]["varz"]["in_msgs"] == 2
        assert documents[-1]["age_s"] > 0
        assert documents[-1]["rates"] is None
        with monitored("natsctl", tmp_path / "second", address=address):
            while documents[-1]["error"] or not documents[-1]["rates"]:
                documents.append(json.loads(running.process.stdout.readline()))
        assert documents[-1]["restarts"] == 1
        assert documents[-1]["varz"]["in_msgs"] == 0
        assert all(document["rates"]["in_msgs_per_s"] >= 0 for document in documents if document["rates"])
        running.wait_for("answers again")

    def test_a_file_that_exists_is_not_written_over(self, natsctl: Shell, tmp_path: Path) -> None:
        (tmp_path / "seen").write_text("mine")
        done = natsctl("top", "--record", str(tmp_path / "seen"), "--headless")
        assert done.code == 2
        assert "exists" in done.err
        assert (tmp_path / "seen").read_text() == "mine"

    def test_a_single_reading_is_told_to_have_no_rates(self, natsctl: Shell, server: Monitored, tmp_path: Path) -> None:
        file = str(tmp_path / "one.ndjson")
        natsctl("top", *at(server), "--record", file, "--headless", "-r", "1")
        done = natsctl("top", "--replay", file, "--once")
        assert done.code == 1
        assert "--no-rates" in done.err
        assert natsctl("top", "--replay", file, "--once", "--no-rates").code == 0


class TestFlags:
    def test_a_sort_option_that_is_none_is_answered_with_those_that_are_near(self, natsctl: Shell) -> None:
        done = natsctl("top", "-sort", "msg_to")
        assert done.code == 2
        assert done.err.splitlines() == [
            "natsctl: invalid option to sort by: msg_to",
            "hint: sort by msgs_to, msgs_from, bytes_to",
        ]

    def test_without_a_terminal_it_says_what_else_can_be_done(self, natsctl: Shell) -> None:
        done = natsctl("top")
        assert done.code == 2
        assert "there is no terminal to draw on" in done.err
        assert "--once" in done.err

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("--headless", "--headless needs --record"),
            ("--once --keep 1h", "--keep needs --record"),
            ("--once --speed 2", "--speed needs --replay"),
            ("--once -r 2", "--once and -r exclude each other"),
            ("--record x --headless --once", "--headless and --once exclude each other"),
            ("--replay x -s host", "--replay and -s exclude each other"),
            ("--replay x --record y", "--replay and --record exclude each other"),
            ("--once --format csv -l ;", "a delimiter is for the table, not for csv"),
            ("--once --cert file", "certificates are for servers on HTTPS"),
            ("--once -s nats://host:4222", "is an address for clients"),
            ("--once -d 0", 'invalid value "0" for flag -d: "0" is not above zero'),
            ("--once -d soon", 'invalid value "soon" for flag -d: "soon" is neither seconds nor a duration'),
            ("--once -n 0", 'invalid value "0" for flag -n: should be greater than or equal to 1'),
            ("--once -m 70000", 'invalid value "70000" for flag -m: should be less than or equal to 65535'),
            ("--once host", 'unexpected argument "host"'),
            ("--replay nowhere --once", 'there is no recording "nowhere"'),
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, natsctl: Shell, line: str, words: str) -> None:
        done = natsctl("top", *line.split())
        assert done.code == 2
        assert words in done.err

    def test_the_version_is_that_of_natsctl(self, natsctl: Shell) -> None:
        assert natsctl("top", "-v").out == natsctl("--version").out

    def test_delays_are_seconds_or_durations(self, natsctl: Shell, server: Monitored) -> None:
        for delay in ("0.05", "50ms", ".05"):
            [document] = natsctl("top", *at(server), "-r=1", f"-d={delay}", "--format=json").lines
            rates = document["rates"]
            assert isinstance(rates, dict)
            assert rates["interval_s"] < 0.5


class TestBadAnswers:
    """What goes wrong before a document is there; the sentences are those of the reader, and tested with it."""

    @pytest.mark.parametrize(
        ("status", "body", "words"),
        [
            ("404 Not Found", b"404 page not found", "has no /varz (HTTP 404)"),
            ("503 Service Unavailable", b"later", "with HTTP 503: later"),
            ("200 OK", b"<!doctype html><title>router</title>", "answers with a web page"),
            ("200 OK", b'{"server_id": "N', "ends in the middle"),
        ],
    )
    def test_are_explained_and_exit_6(self, natsctl: Shell, status: str, body: bytes, words: str) -> None:
        with port_that_says([http_answer(status, body)]) as port:
            done = natsctl("top", "-m", str(port), "--once")
        assert done.code == 6
        assert words in done.err
        assert done.out == b""

    def test_one_that_never_ends_is_given_up(self, natsctl: Shell) -> None:
        endless = [http_answer("200 OK", b'{"server_id": "', length=10**12), *[b"x" * 1024**2] * 100]
        with port_that_says(endless) as port:
            done = natsctl("top", "-m", str(port), "--once")
        assert done.code == 6
        assert "is larger than" in done.err

    def test_one_that_does_not_come_in_time_is_given_up(self, natsctl: Shell) -> None:
        with port_that_says(None) as port:
            done = natsctl("top", "-m", str(port), "--once", "--timeout", "0.3")
        assert done.code == 6
        assert "no complete answer to /varz within 0.3 s" in done.err

    def test_a_host_that_does_not_exist_is_named(self, natsctl: Shell) -> None:
        done = natsctl("top", "-s", "no-such-host.invalid", "--once")
        assert done.code == 6
        assert "cannot find the host of no-such-host.invalid:8222" in done.err

    def test_the_client_port_is_named_as_such(self, natsctl: Shell, server: Monitored) -> None:
        done = natsctl("top", "-m", str(server.client), "--once")
        assert done.code == 6
        assert "is the port for clients" in done.err
        assert "hint: try -m 8222" in done.err


def test_a_terminal_shows_the_dashboard_until_q(natsctl: Shell, server: Monitored) -> None:
    terminal, inside = pty.openpty()
    termios.tcsetwinsize(inside, (24, 80))
    command = [sys.executable, "-m", "natsctl", "top", *at(server), "-d", "0.1"]
    environment = natsctl.environment | {"TERM": "xterm-256color"}
    try:
        process = subprocess.Popen(command, stdin=inside, stdout=inside, stderr=inside, env=environment)
        seen = b""
        deadline = time.monotonic() + PATIENCE_S
        while b"slow consumers" not in seen:
            assert select.select([terminal], [], [], deadline - time.monotonic())[0], seen
            seen += os.read(terminal, 65536)
        os.write(terminal, b"q")
        while process.poll() is None:
            assert time.monotonic() < deadline
            if select.select([terminal], [], [], 0.05)[0]:
                seen += os.read(terminal, 65536)
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
        os.close(inside)
