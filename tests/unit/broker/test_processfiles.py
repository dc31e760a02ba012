import json
import os
import stat
from pathlib import Path

import pytest

from natsctl.broker.processfiles import PortsFile, write_pid_file
from natsctl.errors import ServerError

LISTENING = {"monitoring": ["http://127.0.0.1:21822"], "nats": ["nats://127.0.0.1:21222", "nats://[::1]:21222"]}


def test_a_pid_file_holds_the_decimal_pid_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "nats.pid"
    path.write_text("123456789012345\n")
    write_pid_file(str(path))
    assert path.read_text() == str(os.getpid())


def test_a_new_pid_file_is_private(tmp_path: Path) -> None:
    write_pid_file(str(tmp_path / "nats.pid"))
    assert stat.S_IMODE((tmp_path / "nats.pid").stat().st_mode) == 0o600


def test_a_pid_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "nats.pid"
    with pytest.raises(ServerError) as caught:
        write_pid_file(str(path))
    assert str(caught.value) == f'could not write pidfile "{path}": no such file or directory'


def test_a_ports_file_lists_what_listens_in_compact_json(tmp_path: Path) -> None:
    PortsFile(str(tmp_path), {**LISTENING, "cluster": [], "leafnodes": ["nats://127.0.0.1:7422"]}).write()
    assert (tmp_path / f"natsctl_{os.getpid()}.ports").read_bytes() == (
        b'{"nats":["nats://127.0.0.1:21222","nats://[::1]:21222"],"monitoring":["http://127.0.0.1:21822"],'
        b'"leafnodes":["nats://127.0.0.1:7422"]}'
    )


def test_a_ports_file_is_for_everybody_to_read(tmp_path: Path) -> None:
    ports_file = PortsFile(str(tmp_path), LISTENING)
    ports_file.write()
    assert stat.S_IMODE(os.stat(ports_file.path).st_mode) == 0o644


def test_a_ports_file_replaces_the_one_of_an_earlier_process_with_the_pid(tmp_path: Path) -> None:
    PortsFile(str(tmp_path), {"nats": ["nats://127.0.0.1:1"]}).write()
    ports_file = PortsFile(str(tmp_path), {"nats": ["nats://127.0.0.1:2"]})
    ports_file.write()
    assert json.loads(Path(ports_file.path).read_bytes()) == {"nats": ["nats://127.0.0.1:2"]}
    assert os.listdir(tmp_path) == [Path(ports_file.path).name]


def test_a_removed_ports_file_leaves_nothing_and_may_be_removed_again(tmp_path: Path) -> None:
    ports_file = PortsFile(str(tmp_path), LISTENING)
    ports_file.write()
    ports_file.remove()
    ports_file.remove()
    assert os.listdir(tmp_path) == []


def test_a_ports_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    ports_file = PortsFile(str(tmp_path / "gone"), LISTENING)
    with pytest.raises(ServerError) as caught:
        ports_file.write()
    assert str(caught.value) == f'could not write ports file "{ports_file.path}": no such file or directory'


def test_a_failed_write_leaves_no_temporary_file(tmp_path: Path) -> None:
    ports_file = PortsFile(str(tmp_path), LISTENING)
    os.mkdir(ports_file.path)
    with pytest.raises(ServerError, match="is a directory"):
        ports_file.write()
    with pytest.raises(ServerError, match="could not remove ports file"):
        ports_file.remove()
    assert os.listdir(tmp_path) == [Path(ports_file.path).name]
