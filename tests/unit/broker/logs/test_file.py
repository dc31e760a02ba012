import os
import re
import resource
import signal
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from natsctl.broker.logs import Logger, open_logger
from natsctl.config.options import LogOptions
from natsctl.errors import ServerError


@contextmanager
def file_logger(path: Path, *, size_limit: int = 0, max_num: int = 0) -> Iterator[Logger]:
    options = LogOptions(log_file=str(path), logtime=False, logfile_size_limit=size_limit, logfile_max_num=max_num)
    logger = open_logger(options)
    try:
        yield logger
    finally:
        logger.close()


@contextmanager
def disk_of(n_bytes: int) -> Iterator[None]:
    """Let no file grow beyond a size, as if the disk were full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def messages(path: Path) -> list[str]:
    return [line.split("] ", 2)[2] for line in path.read_text().splitlines()]


def backups(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.*"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nats.log"


def test_lines_are_appended_to_what_the_file_holds(path: Path) -> None:
    path.write_text("[1] [INF] old\n")
    with file_logger(path) as logger:
        logger.info("new")
    assert messages(path) == ["old", "new"]


def test_a_new_file_is_closed_to_others(path: Path) -> None:
    before = os.umask(0)
    try:
        with file_logger(path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o640
    finally:
        os.umask(before)


def test_a_line_is_in_the_file_when_the_call_returns(path: Path) -> None:
    with file_logger(path) as logger:
        logger.info("at once")
        assert messages(path) == ["at once"]


def test_a_file_that_cannot_be_opened_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match=r'^cannot open log file ".*/gone/nats\.log": no such file or directory$'):
        open_logger(LogOptions(log_file=str(tmp_path / "gone" / "nats.log")))


def test_a_line_written_after_closing_is_lost_quietly(path: Path) -> None:
    with file_logger(path) as logger:
        logger.info("early")
    logger.info("late")
    logger.close()
    assert messages(path) == ["early"]


def test_a_file_that_outgrows_its_limit_is_renamed(path: Path) -> None:
    with file_logger(path, size_limit=500) as logger:
        for text in ("one", "x" * 500, "two"):
            logger.info(text)
    [backup] = backups(path)
    assert re.fullmatch(r"nats\.log\.\d{4}(\.\d\d){5}\.\d{9}", backup.name)
    assert messages(backup) == ["one", "x" * 500]
    assert messages(path) == [f'Rotated log, backup saved as "{backup}"', "two"]


def test_a_file_that_starts_beyond_its_limit_is_rotated_at_once(path: Path) -> None:
    path.write_text("x" * 100 + "\n")
    with file_logger(path, size_limit=90):
        pass
    [backup] = backups(path)
    assert backup.read_text().endswith("[INF] Rotating logfile...\n")
    assert messages(path) == [f'Rotated log, backup saved as "{backup}"']


@pytest.mark.parametrize("limit", [0, -1])
def test_without_a_limit_nothing_is_rotated(path: Path, limit: int) -> None:
    path.write_text("x" * 10_000)
    with file_logger(path, size_limit=limit, max_num=limit) as logger:
        logger.info("x")
    assert backups(path) == []


def test_no_line_is_lost_by_rotation(path: Path) -> None:
    with file_logger(path, size_limit=500) as logger:
        for number in range(200):
            logger.info(f"line {number}")
    found = [text for file in (*backups(path), path) for text in messages(file) if text.startswith("line ")]
    assert found == [f"line {number}" for number in range(200)]


def test_only_as_many_files_are_kept_as_allowed_and_the_oldest_goes(path: Path) -> None:
    oldest = path.with_name("nats.log.2020.01.02.03.04.05.000000001")
    newer = path.with_name("nats.log.2021.01.02.03.04.05.000000001")
    bystander = path.with_name("nats.log.1")
    for file in (oldest, newer, bystander):
        file.touch()
    path.write_text("x" * 100)
    with file_logger(path, size_limit=90, max_num=3):
        assert messages(path)[1:] == [f'Purged log file "{oldest.name}"']
    assert len(backups(path)) == 3
    assert newer in backups(path)
    assert bystander in backups(path)


def test_with_one_file_allowed_no_backup_is_kept(path: Path) -> None:
    path.write_text("x" * 100)
    with file_logger(path, size_limit=90, max_num=1):
        assert backups(path) == []


def test_reopening_follows_the_path(path: Path) -> None:
    moved = path.with_suffix(".1")
    with file_logger(path) as logger:
        logger.info("before")
        path.rename(moved)
        logger.info("between")
        logger.reopen()
        logger.info("after")
    assert messages(moved) == ["before", "between"]
    assert messages(path) == ["File log re-opened", "after"]


def test_a_file_that_cannot_be_reopened_stays_in_use(path: Path) -> None:
    moved = path.with_suffix(".1")
    with file_logger(path) as logger:
        path.rename(moved)
        path.mkdir()
        logger.reopen()
        logger.info("after")
    assert messages(moved) == [f'cannot open log file "{path}": is a directory', "after"]


def test_a_file_that_cannot_be_rotated_stays_in_use_up_to_twice_the_size(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250)  # with the date behind it, longer than a file name may be
    with file_logger(path, size_limit=100) as logger:
        logger.info("y" * 100)
        logger.info("after")
    said = messages(path)
    size = len(f"[{os.getpid()}] [INF] {'y' * 100}\n")
    assert said[1:] == [f"Unable to rotate log, next attempt at {2 * size}: file name too long", "after"]


def test_a_file_that_others_moved_is_created_again_by_rotation(path: Path) -> None:
    moved = path.with_name("moved.log")
    with file_logger(path, size_limit=500) as logger:
        path.rename(moved)
        logger.info("x" * 500)
        logger.info("after")
    assert messages(moved) == ["x" * 500]
    assert messages(path)[-1] == "after"


def test_lines_lost_to_a_full_disk_are_counted_and_the_next_line_is_whole(path: Path) -> None:
    with file_logger(path) as logger:
        logger.info("before")
        with disk_of(path.stat().st_size + 5):
            logger.info("torn")
            logger.info("lost")
        logger.info("after")
        logger.info("and on")
    pid = os.getpid()
    assert path.read_text().splitlines() == [
        f"[{pid}] [INF] before",
        f"[{pid}] [INF] torn"[:5],
        f"[{pid}] [WRN] 2 log lines lost",
        f"[{pid}] [INF] after",
        f"[{pid}] [INF] and on",
    ]


def test_a_device_is_never_renamed(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with file_logger(pipe, size_limit=1) as logger:
        logger.info("one")
        logger.info("two")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert backups(pipe) == []
    assert os.read(reader, 1024).endswith(b"[INF] two\n")
    os.close(reader)


def test_lines_of_many_threads_stay_whole(path: Path) -> None:
    with file_logger(path, size_limit=5_000) as logger, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: logger.info(f"line {number:04}"), range(500)))
    found = [text for file in (*backups(path), path) for text in messages(file) if text.startswith("line ")]
    assert sorted(found) == [f"line {number:04}" for number in range(500)]
