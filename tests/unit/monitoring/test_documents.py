"""The documents: written as nats-server writes them, read from servers of all ages."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natsctl.monitoring.documents import (
    ConnInfo,
    Connz,
    Document,
    Healthz,
    Jsz,
    RouteInfo,
    Routez,
    SubDetail,
    SubjectPermission,
    Subsz,
    Varz,
    decode,
    encode,
)

GNATSD_VARZ = """{
  "server_id": "hQP3YlXhAWV5CjRiFmoDAy", "version": "1.0.4", "go": "go1.8.3", "host": "0.0.0.0", "addr": "0.0.0.0",
  "auth_required": false, "ssl_required": false, "tls_required": false, "tls_verify": false,
  "max_connections": 65536, "ping_interval": 120000000000, "ping_max": 2, "http_host": "0.0.0.0", "http_port": 8222,
  "https_port": 0, "auth_timeout": 1, "max_control_line": 1024,
  "cluster": {"addr": "0.0.0.0", "cluster_port": 0, "auth_timeout": 1}, "tls_timeout": 0.5, "port": 4222,
  "max_payload": 1048576, "start": "2017-10-23T20:01:36.190264823+02:00", "now": "2017-10-23T20:01:40.5+02:00",
  "uptime": "4s", "mem": 9043968, "cores": 4, "cpu": 0.1, "connections": 2, "total_connections": 3, "routes": 0,
  "remotes": 0, "in_msgs": 5, "out_msgs": 6, "in_bytes": 70, "out_bytes": 80, "slow_consumers": 1,
  "subscriptions": 3, "http_req_stats": {"/": 0, "/connz": 2, "/varz": 1},
  "config_load_time": "2017-10-23T20:01:36.190264823+02:00"
}"""

GNATSD_CONNZ = """{
  "now": "2017-10-23T20:01:40.5+02:00", "num_connections": 1, "total": 1, "offset": 0, "limit": 1024, "connections": [
    {"cid": 1, "ip": "127.0.0.1", "port": 51234, "start": "2017-10-23T20:01:37+02:00",
     "last_activity": "2017-10-23T20:01:39+02:00", "uptime": "3s", "idle": "1s", "pending_bytes": 0, "in_msgs": 1,
     "out_msgs": 2, "in_bytes": 3, "out_bytes": 4, "subscriptions": 1, "lang": "go", "version": "1.3.0",
     "subscriptions_list": ["foo"]}]
}"""


def test_documents_of_gnatsd_are_read() -> None:
    varz = decode(GNATSD_VARZ.encode(), Varz)
    assert (varz.version, varz.server_name, varz.tls_timeout, varz.http_req_stats["/connz"]) == ("1.0.4", "", 0.5, 2)
    assert varz.slow_consumer_stats.clients == 0
    [conn] = decode(GNATSD_CONNZ.encode(), Connz).connections
    assert (conn.cid, conn.kind, conn.rtt, conn.subscriptions_list) == (1, "", "", ["foo"])


def test_null_reads_as_empty_and_unknown_keys_are_passed_over() -> None:
    connz = decode(b'{"server_id": "", "total": null, "connections": null, "news": {"a": [1]}}', Connz)
    assert connz == Connz()


def test_numbers_in_quotes_are_numbers() -> None:
    assert decode(b'{"connections": [{"cid": "7", "in_msgs": "12"}]}', Connz).connections[0].in_msgs == 12


@pytest.mark.parametrize("text", [b"", b"null", b"[]", b'{"total": {}}', b'{"connections": [1]}', b"\xff", b"{"])
def test_what_is_no_document_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError):
        decode(text, Connz)


@pytest.mark.parametrize("number", ["9223372036854775808", "1" + "0" * 400, "-1" + "0" * 400, "1e400"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_number_that_no_server_counts_to_is_refused(number: str, quote: str) -> None:
    for key in ("mem", "cpu"):
        with pytest.raises(ValueError):
            decode(f'{{"{key}": {quote}{number}{quote}}}'.encode(), Varz)


def test_a_document_nested_too_deeply_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        decode(b'{"total": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", Connz)


def test_empty_keys_are_printed_or_omitted_as_nats_server_does() -> None:
    entry = json.loads(encode(ConnInfo(cid=1)))
    assert list(entry) == [
        *("cid", "ip", "port", "start", "last_activity", "uptime", "idle", "pending_bytes"),
        *("in_msgs", "out_msgs", "in_bytes", "out_bytes", "subscriptions"),
    ]
    assert json.loads(encode(Connz()))["connections"] == []
    varz = json.loads(encode(Varz()))
    assert varz["cluster"] == varz["leaf"] == varz["jetstream"] == {}
    assert "tags" not in varz
    assert encode(Varz()).count(b"0.0") == 0
    assert list(json.loads(encode(Subsz())))[-3:] == ["total", "offset", "limit"]
    assert list(json.loads(encode(Jsz(disabled=True))))[6:11] == ["api", "server_id", "now", "disabled", "config"]


def test_import_is_a_key_although_python_reserves_the_word() -> None:
    route = RouteInfo(import_=SubjectPermission(allow=["a"]))
    assert b'"import"' in encode(Routez(routes=[route]))


def test_text_that_could_end_a_script_is_escaped_as_go_does() -> None:
    text = encode(SubDetail(subject="</a>&.>\u2028"))
    assert b'"\\u003c/a\\u003e\\u0026.\\u003e\\u2028"' in text


def test_health_is_written_on_one_line() -> None:
    assert encode(Healthz(status="ok"), indent=0) == b'{"status":"ok"}'


@given(
    st.builds(
        ConnInfo,
        cid=st.integers(0, 2**63 - 1),
        name=st.text(),
        out_msgs=st.integers(0, 2**63 - 1),
        subscriptions_list=st.lists(st.text()),
        tls_first=st.booleans(),
        subscriptions_list_detail=st.lists(st.builds(SubDetail, subject=st.text(), max=st.integers(0, 9))),
    )
)
def test_what_is_written_reads_back(conn: Document) -> None:
    assert decode(encode(conn), ConnInfo) == conn
    assert json.loads(encode(conn)) == json.loads(encode(conn, indent=0))
