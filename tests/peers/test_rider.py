"""The ride service of the book works over natsctl as it does over any NATS server."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.peers.rider import FIND_S, ApiServer, Driver, Manager, discover

if TYPE_CHECKING:
    from tests.peers.conftest import Server


@pytest.fixture
def url(serve: Callable[[str], Server]) -> str:
    return serve("server_name: rider").url


async def test_without_managers_a_request_times_out_and_a_server_of_today_knows_at_once(url: str) -> None:
    async with ApiServer(url, "api-server") as api:
        asked_mono = time.monotonic()
        assert await api.post_ride("regular", timeout_s=10) == (408, "Request timeout")
        assert time.monotonic() - asked_mono < 5


async def test_without_drivers_the_manager_says_so(url: str) -> None:
    async with ApiServer(url, "api-server") as api, Manager(url, "rides-manager"):
        assert await api.post_ride("mini") == (503, "No drivers available found, sorry!")


async def test_a_driver_of_the_wrong_type_hears_the_request_and_is_silent(url: str) -> None:
    async with ApiServer(url, "api-server") as api, Manager(url, "rides-manager"), Driver(url, "regular") as regular:
        asked_mono = time.monotonic()
        assert (await api.post_ride("mini"))[0] == 503
        assert time.monotonic() - asked_mono >= FIND_S
        assert regular.seen == ['{"type": "mini"}']


async def test_the_driver_of_the_right_type_gets_the_ride(url: str) -> None:
    async with (
        ApiServer(url, "api-server") as api,
        Manager(url, "rides-manager"),
        Driver(url, "regular"),
        Driver(url, "mini") as mini,
    ):
        assert await api.post_ride("mini") == (200, mini.id)


async def test_the_driver_with_the_smaller_backoff_gets_the_ride(url: str) -> None:
    async with (
        ApiServer(url, "api-server") as api,
        Manager(url, "rides-manager"),
        Driver(url, "mini", backoff_s=0.1),
        Driver(url, "mini") as quick,
    ):
        assert [await api.post_ride("mini") for _ in range(3)] == 3 * [(200, quick.id)]


async def test_each_request_is_handled_by_one_of_two_managers(url: str) -> None:
    async with (
        ApiServer(url, "api-server") as api,
        Manager(url, "rides-manager") as one,
        Manager(url, "rides-manager") as two,
        Driver(url, "mini") as mini,
    ):
        answers = await asyncio.gather(*(api.post_ride("mini") for _ in range(40)))
        assert set(answers) == {(200, mini.id)}
        assert len(one.seen) + len(two.seen) == 40
        assert one.seen and two.seen


async def test_every_component_answers_discovery_and_tells_its_status(url: str) -> None:
    async with ApiServer(url, "api-server") as api, Manager(url, "rides-manager") as manager:
        found = await discover(api.client, idle_s=0.3)
        assert sorted(found) == sorted([api.id, manager.id])
        status = await api.client.request(f"_NATS_RIDER.{manager.id}.status", timeout=5)
        assert json.loads(status.data)["kind"] == "rides-manager"


async def test_discovery_by_hand_brings_22_bytes_from_each_component(url: str) -> None:
    def by_hand() -> list[bytes]:
        host, _, port = url.removeprefix("nats://").partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as sock:
            lines = sock.makefile("rb")
            lines.readline()
            sock.sendall(b"SUB _INBOX.example 1\r\nPUB _NATS_RIDER.discovery _INBOX.example 0\r\n\r\n")
            return [lines.readline() for _ in range(4)]

    async with ApiServer(url, "api-server") as api:
        answer = await asyncio.to_thread(by_hand)
    assert answer == [b"+OK\r\n", b"+OK\r\n", b"MSG _INBOX.example 1 22\r\n", f"{api.id}\r\n".encode()]
