"""``natsctl bench`` as a shell runs it, against the official server."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import PATIENCE_S, Background, Run, Shell, running_server
from tests.support import process
from tests.support.process import NATSCTL, nats_server

Server = Callable[[str], str]

SEED = "SUAKYRHVIOREXV7EUZTBHUHL7NUMHPMAS7QMDU3GTIUWEI5LDNOXD43IZY"
PUBLIC = "UD466L6EBCM3YY5HEGHJANNTN4LSKTSUXTH7RILHCKEQMQHTBNLHJJXT"
RATE = r"[\d,]+ msgs/sec ~ [\d.]+ [KMG]?B/sec"


def bench(natsctl: Shell, *flags: str, subject: str = "hi") -> dict[str, Any]:
    """Run to a good end, and give the document."""
    done = natsctl("bench", "-json", *flags, subject)
    assert done.code == 0, done.err
    document: dict[str, Any] = json.loads(done.out)
    return document


def text(done: Run) -> str:
    return done.out.decode()


def workers_of(background: Background) -> list[int]:
    """The processes that a run has started."""
    pid = background.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def assert_gone(pids: list[int]) -> None:
    assert pids
    deadline = time.monotonic() + PATIENCE_S
    while any(Path(f"/proc/{pid}/fd").exists() and list_fds(pid) for pid in pids):
        assert time.monotonic() < deadline, "a process goes on without its parent"
        time.sleep(0.05)  # the end of somebody else's child cannot be awaited


def list_fds(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return []


def wait_for_workers(background: Background, n: int) -> list[int]:
    """Wait until so many processes were started, the tracker of multiprocessing among them."""
    deadline = time.monotonic() + PATIENCE_S
    while len(pids := workers_of(background)) < n:
        assert time.monotonic() < deadline
        time.sleep(0.05)  # as above
    return pids


def test_the_line_of_the_book_prints_the_report_of_nats_bench(natsctl: Shell) -> None:
    done = natsctl("bench", "-np", "20", "-n", "200000", "-ms", "1", "hi")
    assert done.code == 0, done.err
    assert done.err == "Starting benchmark [msgs=200000, msgsize=1, pubs=20, subs=0]\n"
    first, *rest = text(done).splitlines()
    assert re.fullmatch(f"Pub stats: {RATE}", first)
    for number, line in enumerate(rest[:20], 1):
        assert re.fullmatch(rf" \[{number}\] {RATE} \(10000 msgs\)", line)
    assert re.fullmatch(r" min [\d,]+ \| avg [\d,]+ \| max [\d,]+ \| stddev [\d,]+ msgs", rest[20])
    assert "Messages: published 200,000" in rest


def test_every_subscriber_gets_every_message_once_and_in_order(natsctl: Shell) -> None:
    found = bench(natsctl, "-np", "3", "-ns", "2", "-n", "10000", "-ms", "16")
    books = found["accounting"]
    assert (books["offered"], books["expected"], books["delivered"]) == (10_000, 20_000, 20_000)
    assert (books["lost"], books["duplicated"], books["reordered"], books["foreign"]) == (0, 0, 0, 0)
    assert [member["msgs"] for member in found["publishers"]["members"]] == [3334, 3333, 3333]
    assert found["latency"]["count"] == 20_000
    assert 0 < found["latency"]["percentiles_us"]["50"] <= found["latency"]["percentiles_us"]["99"]


@pytest.mark.parametrize(
    "flags",
    [
        ("-queue", "q"),
        ("-subjects", "13"),
        ("-random",),
        ("-H", "A:b", "-H", "C:d"),
        ("-ms", "0"),
        ("-ms", "300000", "-n", "50"),
        ("-stamp=false",),
        ("-processes", "2"),
        ("-rate", "20000"),
        ("-np", "100"),
    ],
    ids=" ".join,
)
def test_all_is_delivered_whatever_is_sent(natsctl: Shell, flags: tuple[str, ...]) -> None:
    found = bench(natsctl, "-np", "2", "-ns", "3", "-n", "5000", *flags)
    books = found["accounting"]
    groups = 1 if "-queue" in flags else 3
    n_msgs = 50 if "-n" in flags else 5000
    assert (books["offered"], books["delivered"], books["lost"]) == (n_msgs, n_msgs * groups, 0)


def test_a_payload_comes_from_a_file_unchanged(natsctl: Shell, tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text('{"n": 1, "what": "a thing of some length"}')
    heard = natsctl.start("sub", "--count", "2", "--raw", "hi", until="Subscribed")
    found = bench(natsctl, "-n", "2", "-payload", str(tmp_path / "order.json"))
    assert found["setting"]["msg_size"] == 42
    assert heard.finish().out.count(b'{"n": 1, "what": "a thing of some length"}') == 2


def test_requests_are_answered_and_timed(natsctl: Shell) -> None:
    found = bench(natsctl, "-request", "-np", "2", "-ns", "2", "-n", "2000", "-inflight", "10")
    assert (found["accounting"]["offered"], found["accounting"]["delivered"]) == (2000, 2000)
    assert found["latency"]["count"] == 2000


def test_requests_may_go_to_a_service_of_somebody_else(natsctl: Shell) -> None:
    natsctl.start("reply", "--echo", "service", until="Answering")
    assert bench(natsctl, "-request", "-n", "100", subject="service")["accounting"]["delivered"] == 100


def test_requests_to_nobody_fail_at_once(natsctl: Shell) -> None:
    done = natsctl("bench", "-request", "-n", "100", "nobody.is.here")
    assert (done.code, done.err.splitlines()[-1]) == (7, 'natsctl: no responders for "nobody.is.here"')


def test_subscribers_alone_count_what_others_send(natsctl: Shell) -> None:
    waiting = natsctl.start("bench", "-json", "-np", "0", "-ns", "2", "-n", "300", "alone.>", until="Starting")
    wait_for_workers(waiting, 2)
    while waiting.process.poll() is None:  # how much it has seen is known only to itself
        natsctl("pub", "alone.x", "y", "--count", "300", "-q")
    found = json.loads(waiting.finish().out)
    assert all(member["msgs"] >= 300 for member in found["subscribers"]["members"])


def test_a_rate_is_kept_smoothly_and_second_by_second(natsctl: Shell) -> None:
    found = bench(natsctl, "-np", "2", "-ns", "1", "-rate", "2000", "-duration", "2s")
    assert found["publishers"]["msgs"] == 4000
    assert [second["published"] for second in found["seconds"][:2]] == pytest.approx([2000, 2000], rel=0.1)
    assert found["steady"]["published_per_s"] == pytest.approx(2000, rel=0.1)


@pytest.mark.parametrize(
    ("flags", "length"), [((), "duration=200ms"), (("-rate", "50"), "msgs=10"), (("-n", "7"), "msgs=7")], ids=str
)
def test_the_first_line_says_how_long_a_run_will_be(natsctl: Shell, flags: tuple[str, ...], length: str) -> None:
    done = natsctl("bench", *flags, "-duration", "200ms", "hi")
    assert done.err.startswith(f"Starting benchmark [{length}, msgsize=128, pubs=1, subs=0]")


def test_the_csv_has_the_classic_columns(natsctl: Shell, tmp_path: Path) -> None:
    done = natsctl("bench", "-np", "2", "-ns", "1", "-n", "10", "-csv", str(tmp_path / "out.csv"), "hi")
    assert f"Saved metric data in csv file {tmp_path}/out.csv" in done.err
    header, *rows = (tmp_path / "out.csv").read_text().splitlines()
    assert header == "#RunID,ClientID,MsgCount,MsgBytes,MsgsPerSec,BytesPerSec,DurationSecs"
    assert [row.split(",")[1:4] for row in rows] == [["S0", "10", "1280"], ["P0", "5", "640"], ["P1", "5", "640"]]


def test_a_result_is_compared_with_an_earlier_one_and_plotted(natsctl: Shell, tmp_path: Path) -> None:
    before = natsctl("bench", "-ns", "1", "-n", "1000", "-json", "hi")
    (tmp_path / "before.json").write_bytes(before.out)
    done = natsctl("bench", "-ns", "1", "-n", "2000", "-plot", "-compare", str(tmp_path / "before.json"), "hi")
    assert "Distribution of latencies" in text(done)
    assert re.search(r"publishers, whole run: [\d,]+ msgs/sec -> [\d,]+ msgs/sec, [+-]", text(done))
    assert "asked for differently: msgs 1000 -> 2000" in text(done)


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (("-n", "0", "hi"), 2, "number of messages should be greater than zero"),
        (("-np", "5", "-n", "4", "hi"), 2, "5 publishers are more than 4 messages"),
        (("-ms", "1048577", "hi"), 2, "a message of 1048577 bytes exceeds max_payload 1048576 of the server"),
        (("hi", "there"), 2, 'unexpected argument "there"'),
        ((), 2, "missing argument"),
        (("-s", "nats://127.0.0.1:1", "hi"), 6, "cannot connect to nats://127.0.0.1:1 (connection refused)"),
        (("-json", "-plot", "hi"), 2, "leave out --json"),
        (("-plot", "hi"), 2, "there will be no latencies to --plot"),
        (("-plot", "-ns", "1", "-ms", "15", "hi"), 2, "messages of 16 bytes, or --request"),
        (("-csv", "/dev/null/out.csv", "hi"), 1, "/dev/null/out.csv: not a directory"),
        (("-queue", "workers", "hi"), 2, 'queue group "workers" needs a subscriber (-ns)'),
        (("-payload", "/dev/null", "-ms", "5", "hi"), 2, "has the size and the content of the file"),
        (("-payload", "/dev/zero", "hi"), 2, "/dev/zero is larger than 67108864 bytes"),
        (("-ms", "10000000000", "hi"), 2, "10000000000 bytes in a message are more than 67108864"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_said_in_one_line(natsctl: Shell, flags: tuple[str, ...], code: int, words: str) -> None:
    done = natsctl("bench", *flags)
    assert done.code == code
    assert words in done.err
    assert not done.out


@pytest.mark.parametrize("rate", ["100", "0"], ids=["paced", "at full speed"])
def test_ctrl_c_ends_a_run_with_a_partial_report_and_no_orphans(natsctl: Shell, rate: str) -> None:
    flags = ("-json", "-np", "2", "-ns", "2", "-ms", "16", "-rate", rate, "-duration", "60s")
    running = natsctl.start("bench", *flags, "hi", until="Starting")
    workers = wait_for_workers(running, 2)
    time.sleep(1)  # for something to report
    done = running.finish(signal.SIGINT)
    assert done.code == 130
    found = json.loads(done.out)
    assert found["partial"] is True
    assert 0 < found["accounting"]["delivered"] == found["accounting"]["expected"]
    assert_gone(workers)


def test_a_worker_that_is_killed_fails_the_run_with_what_is_known(natsctl: Shell) -> None:
    flags = ("-json", "-np", "1", "-ns", "1", "-rate", "1000", "-duration", "60s")
    running = natsctl.start("bench", *flags, "hi", until="Starting")
    workers = wait_for_workers(running, 3)  # the tracker, the subscriber, the publisher
    time.sleep(1)  # as above
    os.kill(workers[-1], signal.SIGKILL)
    done = running.finish()
    assert (done.code, json.loads(done.out)["partial"]) == (10, True)
    assert "a process of publishers ended with exit code -9" in done.err
    assert_gone(workers)


def test_workers_end_when_the_command_is_killed(natsctl: Shell) -> None:
    running = natsctl.start("bench", "-np", "2", "-ns", "2", "-duration", "60s", "hi", until="Starting")
    workers = wait_for_workers(running, 2)
    running.finish(signal.SIGKILL)
    assert_gone(workers)


def test_a_server_that_comes_back_is_used_again_and_the_loss_reported(natsctl: Shell, tmp_path: Path) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(running_server(tmp_path / "first"))
        flags = ("-np", "2", "-ns", "2", "-rate", "2000", "-duration", "4s", "-json", "-s", url, "hi")
        running = natsctl.start("bench", *flags, until="Starting")
        wait_for_workers(running, 2)
        time.sleep(1)  # the server fails in the middle of the run
        stack.close()
        running.wait_for("connection lost")
        with running_server(tmp_path / "second", port=int(url.rpartition(":")[2])):
            done = running.finish()
    found = json.loads(done.out)
    assert len(found["outages"]) == 4
    assert all(outage["duration_s"] > 0 for outage in found["outages"])
    assert found["accounting"]["longest_gap_s"] > 0.05
    assert found["publishers"]["msgs"] == 8000
    assert found["accounting"]["delivered"] > 8000
    assert done.code == (10 if found["accounting"]["lost"] else 0)


def test_a_server_that_stays_away_ends_the_run_with_a_partial_report(natsctl: Shell, tmp_path: Path) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(running_server(tmp_path / "first"))
        flags = ("-ns", "1", "-rate", "1000", "-duration", "60s", "-max-outage", "200ms", "-s", url, "hi")
        running = natsctl.start("bench", *flags, until="Starting")
        wait_for_workers(running, 2)
        time.sleep(1)  # as above
    done = running.finish()
    assert done.code == 6
    assert "Pub stats" in text(done)
    assert "did not come back" in text(done)
    assert "connection refused" in done.err


def test_logins_are_those_of_the_other_commands(natsctl: Shell, start_server: Server, tmp_path: Path) -> None:
    url = start_server("authorization { user: alice, password: 's3cret' }")
    assert natsctl("bench", "-n", "10", "-s", url, "-user", "alice", "-password", "s3cret", "hi").code == 0
    refused = natsctl("bench", "-np", "3", "-n", "10", "-s", url, "-user", "alice", "-password", "wr0ng", "hi")
    assert refused.code == 5
    assert re.search(r"natsctl: publisher \d: authorization violation", refused.err)
    assert "wr0ng" not in refused.err
    url = start_server(f"authorization {{ users: [{{ nkey: {PUBLIC} }}] }}")
    (tmp_path / "user.nk").write_text(SEED)
    assert natsctl("bench", "-n", "10", "-s", url, "-nkey", str(tmp_path / "user.nk"), "hi").code == 0


def test_a_subject_that_is_not_allowed_ends_the_run(natsctl: Shell, start_server: Server) -> None:
    url = start_server("authorization { users: [{ user: a, password: b, permissions: { publish: 'Other' } }] }")
    done = natsctl("bench", "-s", url, "-user", "a", "-password", "b", "Hi")
    assert done.code == 5
    assert 'publisher 1: permissions violation for publish to "Hi"' in done.err


def test_flags_may_follow_the_subject(natsctl: Shell, official_server: str) -> None:
    done = natsctl("bench", "-s", official_server, "hi", "-n", "10", "--json")
    assert json.loads(done.out)["publishers"]["msgs"] == 10


@pytest.mark.parametrize("server", ["nats-server", "natsctl server"])
def test_counts_and_rates_agree_with_the_server(natsctl: Shell, tmp_path: Path, server: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def varz() -> tuple[float, dict[str, int]]:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/varz") as answer:
            document = json.load(answer)
        return time.monotonic(), document

    command = NATSCTL if server == "natsctl server" else nats_server()
    with process.running_server(command, tmp_path, f"http: 127.0.0.1:{port}") as running_one:
        flags = (
            "-s",
            f"nats://127.0.0.1:{running_one.port}",
            "-np",
            "2",
            "-ns",
            "2",
            "-rate",
            "5000",
            "-duration",
            "4s",
            "-json",
        )
        running = natsctl.start("bench", *flags, "hi", until="Starting")
        while not (first := varz())[1]["in_msgs"]:
            time.sleep(0.05)  # the server tells only when it is asked
        time.sleep(2.5)  # a stretch of the run
        second, done = varz(), running.finish()
        last = varz()
    found = json.loads(done.out)
    assert found["publishers"]["msgs"] == pytest.approx(20_000, rel=0.01)  # the clock may end it a moment early
    assert last[1]["in_msgs"] == found["publishers"]["msgs"]
    assert last[1]["out_msgs"] == found["subscribers"]["msgs"] == 2 * found["publishers"]["msgs"]
    counted_per_s = (second[1]["in_msgs"] - first[1]["in_msgs"]) / (second[0] - first[0])
    assert found["publishers"]["msgs_per_s"] == pytest.approx(counted_per_s, rel=0.01)
    assert found["steady"]["published_per_s"] == pytest.approx(counted_per_s, rel=0.01)
