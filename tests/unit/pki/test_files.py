"""Files appear complete or not at all, keys only for their owner, and nothing is lost."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from natsctl.errors import NatsctlError, UsageError
from natsctl.pki.files import NewFile, read_file, read_key, write_files


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_files_are_written_and_keys_only_for_their_owner(tmp_path: Path) -> None:
    place = tmp_path / "new" / "place"
    write_files([NewFile(place / "a.pem", b"A"), NewFile(place / "a-key.pem", b"K", is_secret=True)])
    assert names(place) == ["a-key.pem", "a.pem"]
    assert stat.S_IMODE((place / "a-key.pem").stat().st_mode) == 0o600
    assert (place / "a.pem").read_bytes() == b"A"


def test_one_file_that_is_there_stops_all(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"mine")
    with pytest.raises(UsageError, match="b is there already") as refused:
        write_files([NewFile(tmp_path / "a", b"1"), NewFile(tmp_path / "b", b"2")])
    assert refused.value.hint == "--force replaces it"
    assert names(tmp_path) == ["b"]
    assert (tmp_path / "b").read_bytes() == b"mine"


def test_a_file_that_is_there_with_the_same_content_is_no_hindrance(tmp_path: Path) -> None:
    write_files([NewFile(tmp_path / "a", b"1")])
    write_files([NewFile(tmp_path / "a", b"1"), NewFile(tmp_path / "b", b"2")])
    assert names(tmp_path) == ["a", "b"]


def test_force_replaces_content_and_permissions(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_files([NewFile(path, b"new", is_secret=True)], force=True)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("target", ["elsewhere", "missing"])
def test_a_symbolic_link_is_never_followed(tmp_path: Path, target: str) -> None:
    (tmp_path / "elsewhere").write_bytes(b"precious")
    (tmp_path / "a").symlink_to(target)
    with pytest.raises(UsageError):
        write_files([NewFile(tmp_path / "a", b"1")])
    write_files([NewFile(tmp_path / "a", b"1")], force=True)
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "elsewhere").read_bytes() == b"precious"
    assert not (tmp_path / "missing").exists()


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"old")
    program = (
        "import resource, signal, sys; from pathlib import Path; from natsctl.pki.files import *\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "here = Path(sys.argv[1])\n"
        "files = [NewFile(here / 'a', b'x' * 900), NewFile(here / 'b', b'x' * 1100)]\n"
        "try: write_files(files, force=True)\n"
        "except Exception as error: print(f'{type(error).__name__}: {error}')\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True)
    assert done.stdout == f"NatsctlError: {tmp_path / 'b'}: file too large\n", done.stderr
    assert names(tmp_path) == ["b"]
    assert (tmp_path / "b").read_bytes() == b"old"


def test_a_file_that_cannot_be_written_takes_back_those_before_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NatsctlError, match="/file: file exists"):
        write_files([NewFile(tmp_path / "a", b"1"), NewFile(tmp_path / "file" / "b", b"2")])
    assert names(tmp_path) == ["file"]


def test_directories_that_were_made_for_nothing_are_taken_back_too(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "here").mkdir()
    new = [NewFile(tmp_path / "here" / "a" / "b" / "c", b"1"), NewFile(tmp_path / "new" / "d", b"2")]
    with pytest.raises(NatsctlError, match="/file: file exists"):
        write_files([*new, NewFile(tmp_path / "file" / "e", b"3")])
    assert names(tmp_path) == ["file", "here"]
    assert names(tmp_path / "here") == []


def test_of_two_at_once_only_one_writes(tmp_path: Path) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        try:
            write_files([NewFile(tmp_path / "key", str(number).encode() * 1000, is_secret=True)])
            outcomes.append("wrote")
        except NatsctlError:
            outcomes.append("refused")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused"] * 7 + ["wrote"]
    assert len(set((tmp_path / "key").read_bytes())) == 1
    assert names(tmp_path) == ["key"]


@pytest.mark.parametrize(("mode", "verb"), [(0o644, "read"), (0o602, "change"), (0o666, "change")])
def test_a_key_that_everybody_can_read_or_change_is_refused(tmp_path: Path, mode: int, verb: str) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(b"K")
    path.chmod(mode)
    with pytest.raises(NatsctlError, match=rf"everybody can {verb} this private key \(mode {mode:04o}\)") as refused:
        read_key(path)
    assert refused.value.hint == f"chmod 600 {path}"


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640])
def test_a_key_for_owner_or_group_is_read(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(b"K")
    path.chmod(mode)
    assert read_key(path) == b"K"


def test_a_pipe_is_read_as_a_shell_makes_one() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"data")
    os.close(writer)
    assert read_file(f"/dev/fd/{reader}") == b"data"
    os.close(reader)


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/dev/zero", "more than the limit"), ("/", "is a directory"), ("/x\0y", "null"), ("/missing", "no such file")],
)
def test_what_cannot_be_meant_is_refused(path: str, reason: str) -> None:
    with pytest.raises(NatsctlError, match=reason):
        read_file(path)
