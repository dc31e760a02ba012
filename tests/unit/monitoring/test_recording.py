"""Recordings: what was read comes back, moments are found, disk and memory are bounded."""

from __future__ import annotations

import asyncio
import gzip
import json
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from natsctl.errors import NatsctlError, UsageError
from natsctl.monitoring.documents import ConnInfo, Connz, Varz
from natsctl.monitoring.recording import Recorder, segments_of
from natsctl.monitoring.replay import Player, Recording
from natsctl.monitoring.snapshot import Reading, Snapshot
from natsctl.monitoring.times import format_time

NS = 10**9
EPOCH_S = 1_700_000_000


def reading(second: float, server: str = "http://a:8222", jwt: str = "") -> Reading:
    now = format_time(int((EPOCH_S + second) * NS))
    return Reading(
        server=server,
        taken_at_ns=int((EPOCH_S + second) * NS),
        asked_mono=second,
        taken_mono=second,
        varz=Varz(server_id="A", start=format_time(EPOCH_S * NS), now=now, in_msgs=int(second * 10)),
        connz=Connz(now=now, connections=[ConnInfo(cid=5, name="é\n", jwt=jwt)]),
    )


def record(path: Path, readings: list[Reading]) -> Path:
    with Recorder(path) as recorder:
        for each in readings:
            recorder.write(each)
    return path


@pytest.fixture(params=["r.ndjson", "r.ndjson.gz"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    name: str = request.param
    return tmp_path / name


def test_what_was_recorded_comes_back(path: Path) -> None:
    readings = [reading(second) for second in range(50)]
    recording = Recording(record(path, readings))
    assert list(recording.readings()) == readings
    assert list(recording.readings(48)) == readings[48:]
    assert recording.servers == ["http://a:8222"]
    assert (recording.started_at_ns, recording.ended_at_ns) == (readings[0].taken_at_ns, readings[-1].taken_at_ns)


def test_a_moment_is_found(path: Path) -> None:
    recording = Recording(record(path, [reading(second) for second in range(0, 100, 10)]))
    assert recording.index_at((EPOCH_S + 30) * NS) == 3
    assert recording.index_at((EPOCH_S + 31) * NS) == 4
    assert recording.index_at(0) == 0
    assert recording.index_at(10**19) == 10


def test_a_recording_is_for_its_owner_and_holds_no_jwt(path: Path) -> None:
    record(path, [reading(1, jwt="eyJ-secret")])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    [back] = Recording(path).readings()
    assert back.connz and back.connz.connections[0].jwt == ""


def test_a_recording_is_not_overwritten(path: Path) -> None:
    record(path, [])
    with pytest.raises(UsageError, match="exists"):
        Recorder(path)


def test_each_reading_is_on_disk_when_written(path: Path) -> None:
    recorder = Recorder(path)
    for second in range(3):
        recorder.write(reading(second))
    assert len(Recording(path)) == 3, "the recorder is still open, as after a crash"
    recorder.close()


@pytest.mark.parametrize("cut", [1, 3, 20])
def test_a_last_line_that_was_cut_off_is_passed_over(path: Path, cut: int) -> None:
    recorder = Recorder(path)
    for second in range(3):
        recorder.write(reading(second))
    whole = path.read_bytes()
    recorder.close()
    crashed = path.with_name(f"crashed-{path.name}")
    crashed.write_bytes(whole[:-cut])
    # The last bytes of a compressed line only end its block: without them the line is still whole.
    n_whole = 3 if path.suffix == ".gz" and cut < 5 else 2
    assert list(Recording(crashed).readings()) == [reading(second) for second in range(n_whole)]


HEADER = b'{"natsctl_recording":1}\n'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a recording"),
        (b"hello\n", "is not a recording"),
        (b'{"natsctl_recording":"1"}\n', "is not a recording"),
        (b"[" * 100_000 + b"\n", "is not a recording"),
        (b'{"natsctl_recording":2}\n', "format 2; this version reads format 1"),
        (HEADER + b"{}\n", "is damaged at byte 24"),
        (HEADER + b"\xff\n", "is damaged at byte 24"),
        (HEADER + b'{"taken_at_ns":9223372036854775808,"server":"a"}\n', "is damaged at byte 24"),
        (HEADER + b"".join(b'{"taken_at_ns":1,"server":"%d"}\n' % n for n in range(1025)), "more than 1024 servers"),
    ],
)
def test_what_is_no_recording_is_refused(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    with pytest.raises(UsageError, match=message):
        Recording(path)


def test_a_line_that_is_no_reading_is_refused_when_it_is_read(path: Path) -> None:
    line = b'{"taken_at_ns":1,"server":"a","varz":7}\n'
    path.write_bytes(HEADER + line)
    with pytest.raises(UsageError, match="is damaged at byte 24"):
        list(Recording(path).readings())


def test_a_line_without_end_costs_bounded_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("natsctl.monitoring.replay.MAX_LINE_BYTES", 1_000)
    path.write_bytes(HEADER + b" " * 100_000)
    with pytest.raises(UsageError, match="a line of more than 1000 bytes"):
        Recording(path)


def test_a_missing_recording_is_named(path: Path) -> None:
    with pytest.raises(UsageError, match=f'there is no recording "{path}"'):
        Recording(path)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot record to"):
        Recorder(tmp_path / "nowhere" / "r.ndjson")


@contextmanager
def small_files() -> Iterator[None]:
    """No file may grow beyond 4 KiB, which to a writer is like a full disk.

    Not a fixture: pytest reports before it takes fixtures down, and its own output may be a longer file.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_takes_no_more_is_said(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "r.ndjson")
    with small_files():
        with pytest.raises(NatsctlError, match=r'cannot record to ".*r\.ndjson": File too large'):
            for second in range(10):
                recorder.write(reading(second))
        with pytest.raises(NatsctlError):
            recorder.close()


class Clock:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.second = 0.0

    def __call__(self) -> int:
        return int((EPOCH_S + self.second) * NS)


def run_daemon(path: Path, clock: Clock, seconds: range, keep_s: float, max_bytes: int = 10**9) -> None:
    with Recorder(path, keep_s=keep_s, max_bytes=max_bytes, clock_ns=clock) as recorder:
        for second in seconds:
            clock.second = second
            recorder.write(reading(second))


def test_the_last_hours_are_kept_and_older_ones_deleted(path: Path) -> None:
    run_daemon(path, Clock(), range(0, 10_000, 10), keep_s=2_400)
    recording = Recording(path)
    assert not path.exists()
    assert len(segments_of(path)) in (24, 25, 26)
    assert 2_400 <= (recording.ended_at_ns - recording.started_at_ns) / NS <= 2_600
    seconds = [each.taken_at_ns // NS - EPOCH_S for each in recording.readings()]
    assert seconds == list(range(seconds[0], 10_000, 10)), "no gap between the files"


def test_the_disk_is_bounded_by_bytes_also_over_restarts(path: Path) -> None:
    clock = Clock()
    for run in range(3):
        clock.second = run * 1_000
        run_daemon(path, clock, range(run * 1_000, run * 1_000 + 500), keep_s=10**6, max_bytes=60_000)
        total = sum(segment.stat().st_size for segment in segments_of(path))
        assert total <= 60_000 + 5_000
    assert Recording(path).ended_at_ns == (EPOCH_S + 2_499) * NS


def test_a_file_begun_just_before_a_crash_is_passed_over(path: Path) -> None:
    run_daemon(path, Clock(), range(0, 1_000, 10), keep_s=2_400)
    last = segments_of(path)[-1]
    last.write_bytes(last.read_bytes()[:12])
    recording = Recording(path)
    assert recording.started_at_ns == EPOCH_S * NS
    assert recording.ended_at_ns < (EPOCH_S + 990) * NS


def test_a_neighbour_of_a_similar_name_is_not_deleted(path: Path) -> None:
    neighbours = [path.with_name(f"s.20200101T000000Z{''.join(path.suffixes)}"), path.with_name("r.old.ndjson")]
    for neighbour in neighbours:
        neighbour.write_text("mine")
    run_daemon(path, Clock(), range(0, 1_000, 10), keep_s=24)
    assert [neighbour.read_text() for neighbour in neighbours] == ["mine", "mine"]


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Player]:
    readings = [reading(second, server) for second in range(20) for server in ("http://a:8222", "http://b:8222")]
    yield Player(Recording(record(tmp_path / "r.ndjson", readings)), speed=10_000)


async def test_a_recording_plays_to_its_end_with_the_rates_that_were_seen(played: Player) -> None:
    snapshots = [snapshot async for snapshot in played.snapshots()]
    assert len(snapshots) == 40
    assert {snapshot.server for snapshot in snapshots} == {"http://a:8222", "http://b:8222"}
    assert [snapshot.rates.in_msgs_per_s for snapshot in snapshots[2:] if snapshot.rates] == [10.0] * 38
    assert played.position_ns == played.recording.ended_at_ns


async def test_after_a_seek_the_first_snapshot_has_rates(played: Player) -> None:
    played.seek((EPOCH_S + 10) * NS)
    first = await anext(played.snapshots())
    assert first.taken_at_ns == (EPOCH_S + 10) * NS
    assert first.rates and first.rates.in_msgs_per_s == 10


async def test_beyond_the_end_there_is_the_last_reading(played: Player) -> None:
    played.seek((EPOCH_S + 10_000) * NS)
    assert [snapshot.taken_at_ns async for snapshot in played.snapshots()] == [played.recording.ended_at_ns]


async def test_it_plays_at_the_speed_asked_for(tmp_path: Path) -> None:
    player = Player(Recording(record(tmp_path / "r.ndjson", [reading(0), reading(2), reading(4)])), speed=20)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert len([snapshot async for snapshot in player.snapshots()]) == 3
    assert 0.15 <= loop.time() - began < 2


async def test_a_paused_player_stands_still_but_shows_where_it_is_sent(tmp_path: Path) -> None:
    player = Player(Recording(record(tmp_path / "r.ndjson", [reading(second) for second in range(100)])), speed=1e6)
    player.pause()
    shown: asyncio.Queue[Snapshot] = asyncio.Queue()

    async def play() -> None:
        async for snapshot in player.snapshots():
            shown.put_nowait(snapshot)

    playing = asyncio.create_task(play())
    assert (await shown.get()).taken_at_ns == EPOCH_S * NS
    player.seek((EPOCH_S + 50) * NS)
    assert (await shown.get()).taken_at_ns == (EPOCH_S + 50) * NS
    assert player.is_paused
    assert shown.empty()
    player.pause(False)
    await playing
    assert shown.qsize() == 49


async def test_a_long_pause_in_a_recording_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("natsctl.monitoring.replay.MAX_WAIT_S", 0.01)
    player = Player(Recording(record(tmp_path / "r.ndjson", [reading(0), reading(86_400)])))
    assert len([snapshot async for snapshot in player.snapshots()]) == 2


def test_the_header_tells_the_format_and_who_wrote_it(tmp_path: Path) -> None:
    path = record(tmp_path / "r.ndjson", [])
    assert json.loads(path.read_text().splitlines()[0])["natsctl_recording"] == 1
