"""Reverse lookups: nothing waits for them, nothing grows with them, nothing hostile comes out of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from natsctl.monitoring import dns
from natsctl.monitoring.dns import ReverseLookups


def wait_for(name_of: Callable[[], str | None]) -> str | None:
    deadline = time.monotonic() + 5
    while (name := name_of()) is None and time.monotonic() < deadline:
        time.sleep(0.001)  # another thread tells, by no event
    return name


def test_a_name_is_there_after_a_while_and_asked_for_once() -> None:
    asked: list[str] = []

    def resolve(ip: str) -> str:
        asked.append(ip)
        return "host.example.com"

    lookups = ReverseLookups(resolve)
    assert wait_for(lambda: lookups.name_of("192.0.2.1")) == "host.example.com"
    assert lookups.name_of("192.0.2.1") == "host.example.com"
    assert asked == ["192.0.2.1"]
    lookups.close()


def test_a_resolver_that_hangs_stops_nobody_and_the_queue_is_bounded() -> None:
    gate = threading.Event()
    calls: list[str] = []

    def resolve(ip: str) -> str:
        calls.append(ip)
        gate.wait(10)
        return "late.example.com"

    lookups = ReverseLookups(resolve)
    began = time.monotonic()
    for number in range(5_000):
        assert lookups.name_of(f"10.0.{number // 250}.{number % 250}") is None
    assert time.monotonic() - began < 2
    lookups.close()
    gate.set()
    assert wait_for(lambda: lookups.name_of("10.0.0.0")) == "late.example.com"
    assert len(calls) <= dns.MAX_WAITING + dns.WORKERS


def test_an_address_without_a_name_is_not_asked_for_at_every_draw() -> None:
    done = threading.Event()
    asked: list[str] = []

    def resolve(ip: str) -> str:
        asked.append(ip)
        done.set()
        raise OSError("unknown host")

    lookups = ReverseLookups(resolve)
    lookups.name_of("192.0.2.1")
    assert done.wait(5)
    lookups.close()
    for _ in range(100):
        assert lookups.name_of("192.0.2.1") is None
    assert len(asked) == 1


@pytest.mark.parametrize("name", ["", "a\x1b[2J", "x" * 300, "b\u202ec", "a b"])
def test_a_hostile_name_is_no_name(name: str) -> None:
    done = threading.Event()

    def resolve(ip: str) -> str:
        if ip == "192.0.2.2":
            done.set()
        return name

    lookups = ReverseLookups(resolve)
    lookups.name_of("192.0.2.1")
    lookups.name_of("192.0.2.2")
    assert done.wait(5)
    assert lookups.name_of("192.0.2.1") is None
    lookups.close()


def test_what_is_no_address_is_not_looked_up() -> None:
    def resolve(ip: str) -> str:
        raise AssertionError(ip)

    assert ReverseLookups(resolve).name_of("example.com") is None


def test_a_name_that_expired_is_shown_until_there_is_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    names = iter(["old.example.com", "new.example.com"])
    lookups = ReverseLookups(lambda ip: next(names))
    monkeypatch.setattr(dns, "TTL_S", 0.0)
    assert wait_for(lambda: lookups.name_of("192.0.2.1")) == "old.example.com"
    monkeypatch.setattr(dns, "TTL_S", 600.0)
    seen = {lookups.name_of("192.0.2.1")}
    assert seen <= {"old.example.com", "new.example.com"}

    def new_name() -> str | None:
        name = lookups.name_of("192.0.2.1")
        return name if name == "new.example.com" else None

    assert wait_for(new_name)
    lookups.close()


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns, "MAX_ENTRIES", 10)
    lookups = ReverseLookups(lambda ip: f"h{ip.replace('.', '-')}")
    for number in range(50):
        assert wait_for(partial(lookups.name_of, f"10.0.0.{number}"))
    known = [number for number in range(50) if lookups.name_of(f"10.0.0.{number}")]
    assert len(known) <= 10 + dns.WORKERS
    lookups.close()
