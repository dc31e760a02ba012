"""Files that include others."""

from __future__ import annotations

from pathlib import Path

import pytest

from natsctl.config import load
from natsctl.errors import ConfigError


def write(directory: Path, **files: str | bytes) -> str:
    """Write files named ``name.conf``, a double underscore for a slash; returns the path of ``main.conf``."""
    for name, text in files.items():
        path = directory / f"{name.replace('__', '/')}.conf"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(directory / "main.conf")


def problem(path: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    (found,) = caught.value.problems
    return str(found)


@pytest.mark.parametrize("name", ["'sub/limits.conf'", '"sub/limits.conf"', "sub/limits.conf", "./sub/limits.conf"])
def test_an_include_is_relative_to_the_including_file(tmp_path: Path, name: str) -> None:
    main = write(tmp_path, main=f"INCLUDE {name}\n", sub__limits="include 'more.conf'\n", sub__more="max_payload: 5k")
    assert load(main).options.max_payload == 5000


def test_an_include_merges_its_keys_at_its_place(tmp_path: Path) -> None:
    main = write(tmp_path, main="ping_max: 1\ninclude l.conf\nmax_payload: 7", l="ping_max: 3, max_payload: 3")
    loaded = load(main)
    assert (loaded.options.ping_max, loaded.options.max_payload) == (3, 7)


def test_an_include_inside_a_map_fills_that_map(tmp_path: Path) -> None:
    main = write(tmp_path, main="authorization {\n include a.conf\n user: u\n password: $PW }", a="PW: hidden")
    assert load(main).options.authorization.password == "hidden"


def test_an_empty_include_is_no_problem(tmp_path: Path) -> None:
    assert not load(write(tmp_path, main="port: 1\ninclude e.conf", e="# nothing\n")).warnings


def test_a_problem_in_an_included_file_is_placed_there(tmp_path: Path) -> None:
    main = write(tmp_path, main="include l.conf", l="\n max_payload: x\n")
    assert problem(main) == f"{tmp_path}/l.conf:2:2: max_payload must be an integer, found a string"
    main = write(tmp_path, main="include l.conf", l="\n max_payload 5 5\n")
    assert problem(main).startswith(f"{tmp_path}/l.conf:2:16: expected the end of the line")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file or directory"),
        (b"port: \xff\n", "not UTF-8 at byte 6"),
        (b"#" * (8 * 1024**2 + 1), "larger than 8388608 bytes"),
    ],
    ids=["missing", "not UTF-8", "huge"],
)
def test_a_file_that_cannot_be_included_is_named(tmp_path: Path, content: bytes | None, reason: str) -> None:
    main = write(tmp_path, main="port: 1\n  include other.conf\n")
    if content is not None:
        write(tmp_path, other=content)
    assert problem(main) == f'{main}:2:11: cannot include "{tmp_path}/other.conf": {reason}'


def test_a_directory_cannot_be_included(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    assert "is a directory" in problem(write(tmp_path, main="include d"))


def test_files_that_include_one_another_are_refused_with_their_chain(tmp_path: Path) -> None:
    main = write(tmp_path, main="include a.conf", a="include b.conf", b="port: 1\ninclude a.conf")
    a, b = tmp_path / "a.conf", tmp_path / "b.conf"
    assert problem(main) == f"{b}:2:9: files include one another: {a} -> {b} -> {a}"
    assert "files include one another" in problem(write(tmp_path, main="include main.conf"))


def test_a_long_chain_of_files_is_refused(tmp_path: Path) -> None:
    write(tmp_path, **{f"f{index}": f"include f{index + 1}.conf" for index in range(60)})
    assert "deep into one another" in problem(write(tmp_path, main="include f0.conf"))


def test_a_file_included_again_and_again_is_bounded(tmp_path: Path) -> None:
    doubling = {f"f{index}": f"include f{index + 1}.conf\ninclude f{index + 1}.conf\n" for index in range(25)}
    write(tmp_path, **doubling, f25="# " + "x" * 100_000)
    assert "hold more than" in problem(write(tmp_path, main="include f0.conf"))


@pytest.mark.parametrize("name", ["nope.conf", "d"])
def test_a_configuration_that_cannot_be_read_is_an_error_with_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "d").mkdir()
    assert problem(str(tmp_path / name)).startswith(f"{tmp_path}/{name}: ")
