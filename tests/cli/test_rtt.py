from __future__ import annotations

import json

from tests.cli.conftest import Shell


def test_every_address_is_measured_and_named(natsctl: Shell) -> None:
    done = natsctl("rtt", "3")
    assert done.code == 0
    server, address = done.out.decode().splitlines()
    assert server == f"{natsctl.url}:"
    assert address.startswith(f"    {natsctl.url.removeprefix('nats://')}: ")
    assert address.endswith("s")


def test_json_has_every_round_trip_and_every_failure(natsctl: Shell) -> None:
    done = natsctl("rtt", "4", "--json", "-s", f"{natsctl.url},nats://127.0.0.1:1,nats://no-such-host.invalid:4222")
    assert done.code == 0
    measured, refused, unknown = json.loads(done.out)
    assert len(measured["rtt_s"]) == 4
    assert 0 < measured["min_s"] <= measured["average_s"] <= measured["max_s"] < 5
    assert refused["address"] == "127.0.0.1:1"
    assert "connection refused" in refused["error"]
    assert unknown["address"] == ""
    assert unknown["error"]


def test_no_answer_from_anywhere_exits_6(natsctl: Shell) -> None:
    done = natsctl("rtt", "-s", "127.0.0.1:1")
    assert done.code == 6
    assert b"127.0.0.1:1: failed" in done.out


def test_no_iterations_are_a_usage_error(natsctl: Shell) -> None:
    assert natsctl("rtt", "0").code == 2
