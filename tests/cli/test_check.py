"""``natsctl check``: what monitoring systems read of servers that are well, and of servers that are not."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from natsctl.cli.tree import run
from tests.cli.conftest import Run, Shell, running_server
from tests.cli.monitored import Monitored, monitored, server
from tests.support.canned import http_answer, port_that_says
from tests.support.kit import RunningKit, running_kit

__all__ = ["server"]

PERFORMANCE = re.compile(r"(?:[\w.:-]+|'[^'=]+')=-?[\d.]+(?:s|B|%|c)?(?:;[\d.]*:?){0,2}")
"""One figure as monitoring systems read it."""


@pytest.fixture
def check(
    official_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Callable[..., Run]:
    """natsctl check inside the test's process, which is quicker than to start it each time."""
    for name in [name for name in os.environ if name.startswith("NATS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NATS_URL", official_server)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))

    def run_check(*arguments: str) -> Run:
        with pytest.raises(SystemExit) as ended:
            run(["check", *arguments])
        out, err = capfdbinary.readouterr()
        assert isinstance(ended.value.code, int)
        return Run(ended.value.code, out, err.decode())

    return run_check


def status(done: Run) -> tuple[int, str]:
    """The code and the word before the dash, after a look at the form of the line."""
    line = done.out.decode()
    assert line.count("\n") == 1 and done.err == "", (line, done.err)
    word, _, rest = line.partition(" - ")
    _, bar, figures = rest.rstrip().partition(" | ")
    if bar:
        assert " ".join(PERFORMANCE.findall(figures)) == figures
    return done.code, word


OK, WARNING, CRITICAL, UNKNOWN = (0, "OK"), (1, "WARNING"), (2, "CRITICAL"), (3, "UNKNOWN")


class TestWrongUsage:
    @pytest.mark.parametrize(
        "line",
        [
            "",
            "--bogus",
            "bogus",
            "connection --bogus",
            "connection --rtt-warn soon",
            "connection -s nats://a:b:c",
            "server --mem-warn much",
            "server -s nats://127.0.0.1",
            "cluster",
            "cluster --expect 0",
            "cert",
            "cert /does/not/exist",
            "cert README.md --warn never",
            "server --json --prometheus",
            "slow-consumers --cacert /does/not/exist -s https://127.0.0.1",
        ],
    )
    def test_what_cannot_be_meant_is_unknown(self, check: Callable[..., Run], line: str) -> None:
        assert status(check(*line.split())) == UNKNOWN

    def test_a_setting_of_the_environment_is_no_exception(
        self, check: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NATS_TIMEOUT", "soon")
        assert status(check("connection")) == UNKNOWN


class TestConnection:
    def test_a_server_that_answers_is_well(self, check: Callable[..., Run], official_server: str) -> None:
        done = check("connection", "--json")
        found = json.loads(done.out)
        assert (done.code, found["status"], found["target"]) == (0, "OK", official_server)
        figures = {figure["name"]: figure for figure in found["figures"]}
        assert figures.keys() == {"connect_time", "rtt", "request_time"}
        assert all(0 < figure["value"] < 10 and figure["unit"] == "s" for figure in figures.values())
        assert (figures["rtt"]["warning"], figures["rtt"]["critical"]) == (0.5, 1.0)

    @pytest.mark.parametrize(("level", "expected"), [("warn", WARNING), ("crit", CRITICAL), ("critical", CRITICAL)])
    @pytest.mark.parametrize("what", ["connect", "rtt", "req"])
    def test_slowness_is_as_bad_as_the_limit_says(
        self, check: Callable[..., Run], what: str, level: str, expected: tuple[int, str]
    ) -> None:
        assert status(check("connection", f"--{what}-{level}", "1ns")) == expected

    def test_nobody_there_is_critical(self, check: Callable[..., Run]) -> None:
        done = check("connection", "-s", "127.0.0.1:1")
        assert status(done) == CRITICAL
        assert b"connection refused" in done.out

    def test_a_refused_login_is_critical_and_keeps_the_secret(self, check: Callable[..., Run], tmp_path: Path) -> None:
        with monitored("official", tmp_path / "server", "authorization { user: a, password: b }") as running:
            done = check("connection", "-s", f"a:hidden@127.0.0.1:{running.client}")
        assert status(done) == CRITICAL
        assert b"authorization violation" in done.out and b"hidden" not in done.out

    @pytest.mark.parametrize("greeting", [None, b"INFO {}\r\n"], ids=["silent", "deaf"])
    def test_a_server_that_stops_answering_is_critical_in_time(self, natsctl: Shell, greeting: bytes | None) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            begun = time.monotonic()
            check = natsctl.start("check", "connection", "-s", f"127.0.0.1:{port}", "--timeout", "1s")
            peer, _ = listener.accept()
            with peer:
                peer.sendall(greeting or b"")
                assert status(check.finish()) == CRITICAL
            assert time.monotonic() - begun < 10


class TestServer:
    def test_a_healthy_server_is_well_and_measured(self, server: Monitored, check: Callable[..., Run]) -> None:
        done = check("server", "-m", str(server.port))
        assert status(done) == OK
        assert {name.partition("=")[0] for name in done.out.decode().partition(" | ")[2].split()} == {
            "cpu",
            "memory",
            "connections",
            "subscriptions",
            "uptime",
        }

    @pytest.mark.parametrize(
        ("limits", "expected"),
        [
            ("--mem-warn 1M", WARNING),
            ("--mem-warn 1M --mem-crit 2M", CRITICAL),
            ("--mem-warn 100G --mem-crit 50G", CRITICAL),
            ("--conn-crit 0", OK),
            ("--uptime-warn 1d", WARNING),
            ("--uptime-warn 1d --uptime-critical 12h", CRITICAL),
            ("--auth-required", CRITICAL),
            ("--tls-required", CRITICAL),
        ],
    )
    def test_figures_are_as_bad_as_their_limits_say(
        self, server: Monitored, check: Callable[..., Run], limits: str, expected: tuple[int, str]
    ) -> None:
        assert status(check("server", "-m", str(server.port), *limits.split())) == expected

    def test_of_several_servers_each_is_named(self, server: Monitored, check: Callable[..., Run]) -> None:
        done = check("server", "-s", f"127.0.0.1:{server.port},127.0.0.1:1")
        assert status(done) == CRITICAL
        assert b"127.0.0.1:1 refuses connections" in done.out
        assert b" cpu'=" in done.out

    def test_a_server_that_is_not_healthy_is_critical(self, check: Callable[..., Run]) -> None:
        sick = b'{"status":"unavailable","error":"JetStream is not current","server_id":"N","now":"x"}'
        with port_that_says([http_answer("200 OK", sick, "Connection: close")]) as port:
            done = check("server", "-m", str(port))
        assert status(done) == CRITICAL
        assert b"JetStream is not current" in done.out

    def test_a_silent_port_is_critical_in_time(self, check: Callable[..., Run]) -> None:
        begun = time.monotonic()
        with port_that_says(None) as port:
            assert status(check("server", "-m", str(port), "--timeout", "0.5")) == CRITICAL
        assert time.monotonic() - begun < 10

    def test_what_a_server_says_cannot_break_the_line(self, check: Callable[..., Run]) -> None:
        sick = json.dumps({"status": "error", "error": "a | b=1\n\x1b[31mOK - all well", "now": "x"}).encode()
        with port_that_says([http_answer("200 OK", sick, "Connection: close")]) as port:
            done = check("server", "-m", str(port))
        assert status(done) == CRITICAL
        assert b"\x1b" not in done.out


class TestSlowConsumers:
    @pytest.mark.parametrize("kind", ["official", "natsctl"])
    def test_a_client_that_was_cut_is_named(self, check: Callable[..., Run], tmp_path: Path, kind: str) -> None:
        config = "max_payload: 32768\nmax_pending: 65536\nwrite_deadline: 1s"
        with monitored(kind, tmp_path / "server", config) as running:
            flags = ("slow-consumers", "-m", str(running.port))
            assert status(check(*flags)) == OK
            with running.connected("SUB flood 1\n", name="sleeper"), running.connected() as publisher:
                message = b"PUB flood 32000\r\n" + bytes(32000) + b"\r\n"
                deadline = time.monotonic() + 20
                done = check(*flags)
                while done.code == 0 and time.monotonic() < deadline:
                    publisher.sendall(message * 1000)
                    done = check(*flags)
            assert status(done) == WARNING
            assert b"1 slow consumers cut within 10m0s (sleeper)" in done.out
            assert status(check(*flags, "--critical", "0")) == CRITICAL
            assert status(check(*flags, "--within", "0s")) == OK


class TestCluster:
    @pytest.fixture(scope="class")
    def kit(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKit]:
        with running_kit("--port", "-1", temporary=tmp_path_factory.mktemp("kit")) as kit:
            yield kit

    @pytest.mark.parametrize(("expected", "outcome"), [(3, OK), (4, CRITICAL), (2, WARNING)])
    def test_the_servers_are_counted(
        self, kit: RunningKit, check: Callable[..., Run], expected: int, outcome: tuple[int, str]
    ) -> None:
        done = check("cluster", "-s", kit.monitor_urls[1], "--expect", str(expected))
        assert status(done) == outcome
        assert f"servers=3;;{expected}:".encode() in done.out

    def test_other_checks_find_the_cluster_as_well(self, kit: RunningKit, check: Callable[..., Run]) -> None:
        done = check("server", "-s", kit.monitor_urls[2], "--cluster", "--json")
        assert {figure["item"] for figure in json.loads(done.out)["figures"]} == {"node1", "node2", "node3"}

    def test_metrics_replace_the_file_in_one_go(
        self, kit: RunningKit, check: Callable[..., Run], tmp_path: Path
    ) -> None:
        out = tmp_path / "nats.prom"
        out.write_text("old")
        done = check("cluster", "-s", kit.monitor_urls[0], "--expect", "4", "--outfile", str(out))
        assert (done.code, done.out, done.err) == (0, b"", "")
        metrics = {family.name: family.samples[0].value for family in text_string_to_metric_families(out.read_text())}
        assert metrics["natsctl_check_status"] == 2
        assert metrics["natsctl_check_cluster_servers"] == 3
        assert [path.name for path in tmp_path.glob("nats*")] == ["nats.prom"]

    def test_metrics_that_cannot_be_written_are_unknown(
        self, kit: RunningKit, check: Callable[..., Run], tmp_path: Path
    ) -> None:
        out = tmp_path / "missing" / "nats.prom"
        done = check("cluster", "-s", kit.monitor_urls[0], "--expect", "3", "--outfile", str(out))
        assert status(done) == UNKNOWN

    def test_the_loss_of_a_node_is_critical_also_where_it_was_asked_first(
        self, kit: RunningKit, check: Callable[..., Run]
    ) -> None:
        kit.kill(0)
        done = check("cluster", "-s", ",".join(kit.monitor_urls), "--expect", "3")
        assert status(done) == CRITICAL
        assert b"2 of 3 servers; " in done.out
        assert b"a configured route of node2, node3" in done.out


class TestCert:
    @pytest.fixture
    def certificates(self, natsctl: Shell, tmp_path: Path) -> Path:
        folder = tmp_path / "certificates"
        assert natsctl("certs", "init", str(folder), "--expiry", "20d").code == 0
        return folder

    @pytest.mark.parametrize(
        ("limits", "expected"),
        [("", WARNING), ("--warn 10d", OK), ("--warn 10d --critical 25d", CRITICAL), ("--crit 21d", CRITICAL)],
    )
    def test_files_are_judged_by_the_time_they_have_left(
        self, certificates: Path, check: Callable[..., Run], limits: str, expected: tuple[int, str]
    ) -> None:
        done = check("cert", str(certificates), *limits.split())
        assert status(done) == expected
        assert b"expires in 19d" in done.out

    def test_a_server_is_judged_as_its_clients_do(
        self, certificates: Path, check: Callable[..., Run], tmp_path: Path
    ) -> None:
        config = (certificates / "nats.conf").read_text().replace(":8222", ":-1")
        with running_server(tmp_path / "server", config) as url:
            flags = ("cert", "-s", url)
            trusted = (*flags, "--tlsca", str(certificates / "ca.pem"))
            assert status(check(*trusted, "--warn", "10d")) == OK
            assert status(check(*trusted)) == WARNING
            assert status(check(*trusted, "--host", "other.example.net")) == CRITICAL
            assert status(check(*flags)) == CRITICAL

    def test_a_server_without_tls_or_without_a_word_is_critical(
        self, check: Callable[..., Run], official_server: str
    ) -> None:
        assert status(check("cert", "-s", official_server)) == CRITICAL
        with port_that_says(None) as port:
            assert status(check("cert", "-s", f"127.0.0.1:{port}", "--timeout", "2")) == CRITICAL

    def test_an_empty_directory_is_unknown(self, check: Callable[..., Run], tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        assert status(check("cert", str(tmp_path / "empty"))) == UNKNOWN
