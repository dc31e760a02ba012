"""All of /varz, for people."""

from __future__ import annotations

from natsctl.monitoring.documents import ClusterOptsVarz, Varz, decode
from natsctl.monitoring.snapshot import Snapshot
from natsctl.tui.views.search import matching
from natsctl.tui.views.variables import Variable, variables


def shown(varz: Varz) -> dict[str, Variable]:
    snapshot = Snapshot(server="http://a:8222", taken_at_ns=0, taken_mono=0.0, took_s=0.0, varz=varz)
    return {variable.name: variable for variable in variables(snapshot)}


def test_sizes_and_durations_are_for_people_with_the_exact_number_beside_them() -> None:
    lines = shown(Varz(max_payload=1048576, ping_interval=120_000_000_000, auth_timeout=2, mem=1536, cpu=3.25))
    assert lines["max_payload"] == Variable("a:8222", "max_payload", "1.0 MiB", "1048576")
    assert lines["ping_interval"] == Variable("a:8222", "ping_interval", "2m0s", "120000000000")
    assert lines["auth_timeout"].value == "2s"
    assert lines["mem"].value == "1.5 KiB"
    assert lines["cpu"].value == "3.2%"


def test_parts_are_named_by_their_path_and_empty_ones_are_left_out() -> None:
    lines = shown(Varz(cluster=ClusterOptsVarz(name="c", urls=["a:1", "b:2"]), tags=["eu"]))
    assert lines["cluster.urls.1"].value == "b:2"
    assert lines["tags.0"].value == "eu"
    assert not any(name.startswith("gateway") for name in lines)


def test_counts_are_grouped_and_ports_are_not() -> None:
    lines = shown(Varz(in_msgs=1234567, port=42220, tls_required=True))
    assert lines["in_msgs"].value == "1,234,567"
    assert lines["port"].value == "42220"
    assert lines["tls_required"].value == "yes"


def test_hostile_text_cannot_steer_the_terminal() -> None:
    lines = shown(decode(b'{"server_name": "\\u001b[31mx", "metadata": {"k\\u0007": "v"}}', Varz))
    assert lines["server_name"].value == "?[31mx"
    assert lines["metadata.k?"].value == "v"


def test_a_search_looks_at_names_and_values() -> None:
    line = shown(Varz(max_payload=1048576))["max_payload"]
    for needle in ("payload", "1.0 mib", "1048576"):
        assert matching([line], needle) == [line]
    assert matching([line], "pending") == []


def test_a_server_that_was_never_read_has_none() -> None:
    assert variables(Snapshot(server="", taken_at_ns=0, taken_mono=0.0, took_s=0.0)) == []
