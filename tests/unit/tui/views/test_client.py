"""What clients are called."""

from __future__ import annotations

import pytest

from natsctl.monitoring.documents import ConnInfo, Connz
from natsctl.tui.views.client import address, called, names_by_cid, plural


@pytest.mark.parametrize(
    ("conn", "name"),
    [
        (ConnInfo(cid=1, name="billing", authorized_user="u", ip="10.0.0.1"), "billing"),
        (ConnInfo(cid=1, authorized_user="u", ip="10.0.0.1"), "u"),
        (ConnInfo(cid=1, ip="10.0.0.1"), "10.0.0.1"),
        (ConnInfo(cid=7), "cid 7"),
    ],
)
def test_a_client_is_called_by_its_name_or_user_or_host(conn: ConnInfo, name: str) -> None:
    assert called(conn) == name


def test_a_name_cannot_steer_the_terminal() -> None:
    assert called(ConnInfo(name="a\x1b[2Jb\nc")) == "a?[2Jb c"


def test_an_address_brackets_ipv6_and_is_empty_where_there_is_none() -> None:
    assert address("10.0.0.1", 4222) == "10.0.0.1:4222"
    assert address("::1", 4222) == "[::1]:4222"
    assert address("", 0) == ""


def test_names_are_found_by_cid_also_where_nothing_was_read() -> None:
    assert names_by_cid(Connz(connections=[ConnInfo(cid=4, name="a"), ConnInfo(cid=5, name="b")])) == {4: "a", 5: "b"}
    assert names_by_cid(None) == {}


def test_one_is_singular() -> None:
    assert [plural(number, "route") for number in (0, 1, 2)] == ["0 routes", "1 route", "2 routes"]
