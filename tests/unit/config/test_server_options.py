"""Which options the keys of a configuration make."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from natsctl.config import Options, load, loads
from natsctl.config.server import SERVER

TAGS_A_AND_B = ["a", "b"]


def option(text: str, path: str) -> Any:
    value: Any = loads(text, environ={}).options
    for name in path.split("."):
        value = getattr(value, name)
    return value


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("listen: 127.0.0.1:5222", "host", "127.0.0.1"),
        ("listen: 127.0.0.1:5222", "port", 5222),
        ("listen: 5222", "host", "0.0.0.0"),
        ("listen: 5222", "port", 5222),
        ("listen: '[::1]:-1'", "host", "::1"),
        ("listen: ':5222'", "host", "0.0.0.0"),
        ("net: h", "host", "h"),
        ("PORT: -1", "port", -1),
        ("port: 0", "port", 4222),
        ("listen: h:1, port: 2", "port", 2),
        ("http: 127.0.0.1:8222", "http_host", "127.0.0.1"),
        ("http: 127.0.0.1:8222", "http_port", 8222),
        ("http: 8222", "http_host", ""),
        ("http: 8222", "http_port", 8222),
        ("monitor_port: -1", "http_port", -1),
        ("http: h:1, http_port: 2", "http_port", 2),
        ("http: h:1, http_port: 2", "http_host", "h"),
        ("http_base_path: /nats", "http_base_path", "/nats"),
        ("client_advertise: 'a:1'", "client_advertise", "a:1"),
        ("server_name: n", "server_name", "n"),
        ("server_tags: [' A', b, a]", "server_tags", TAGS_A_AND_B),
        ("server_tags: A", "server_tags", ["a"]),
        ("server_metadata: {K: v}", "server_metadata", {"K": "v"}),
        ("debug: on", "log.debug", True),
        ("trace_verbose: true", "log.trace", True),
        ("trace_headers: true", "log.trace", True),
        ("trace_headers: true", "log.trace_headers", True),
        ("port: 1", "log.logtime", True),
        ("logtime: no", "log.logtime", False),
        ("logfile: l", "log.log_file", "l"),
        ("log_size_limit: 1MB", "log.logfile_size_limit", 1048576),
        ("log_max_num: 3", "log.logfile_max_num", 3),
        ("syslog: true", "log.syslog", True),
        ("remote_syslog: 'udp://h:514'", "log.remote_syslog", "udp://h:514"),
        ("max_traced_msg_len: 10", "log.max_traced_msg_len", 10),
        ("pidfile: p", "pid_file", "p"),
        ("ports_file_dir: d", "ports_file_dir", "d"),
        ("max_conn: 5", "max_connections", 5),
        ("max_connections: 0", "max_connections", -1),
        ("max_subs: 5", "max_subscriptions", 5),
        ("max_subs: -1", "max_subscriptions", 0),
        ("max_subscription_tokens: 8", "max_sub_tokens", 8),
        ("max_control_line: 2k", "max_control_line", 2000),
        ("max_control_line: 0", "max_control_line", 4096),
        ("max_payload: 1KB", "max_payload", 1024),
        ("max_payload: 0", "max_payload", 1048576),
        ("max_payload: -1", "max_payload", -1),
        ("max_pending: 10MB", "max_pending", 10485760),
        ("max_closed_clients: 5", "max_closed_clients", 5),
        ("ping_interval: '1m30s'", "ping_interval_s", 90.0),
        ("ping_interval: 30", "ping_interval_s", 30.0),
        ("ping_interval: '0s'", "ping_interval_s", 120.0),
        ("ping_max: 7", "ping_max", 7),
        ("write_deadline: 500ms", "write_deadline_s", 0.5),
        ("write_timeout: retry", "write_timeout", "retry"),
        ("no_auth_user: u", "no_auth_user", "u"),
        ("system: S", "system_account", "S"),
        ("no_sys_acc: true", "no_system_account", True),
        ("no_header_support: true", "no_header_support", True),
        ("no_fast_producer_stall: true", "no_fast_producer_stall", True),
        ("no_sublist_cache: true", "disable_sublist_cache", True),
        ("authorization { token: t }", "authorization.token", "t"),
        ("authorization { username: u, pass: p }", "authorization.user", "u"),
        ("authorization { username: u, pass: p }", "authorization.password", "p"),
        ("authorization { timeout: 0.5 }", "auth_timeout_s", 0.5),
        ("authorization { timeout: '1m' }", "auth_timeout_s", 60.0),
        ("authorization { timeout: 0 }", "auth_timeout_s", 2.0),
    ],
)
def test_a_key_sets_its_option(text: str, path: str, value: object) -> None:
    assert option(text, path) == value


def test_a_configuration_without_a_key_leaves_every_default() -> None:
    loaded = loads("V: 4222\nport: $V", environ={})
    read, default = asdict(loaded.options), asdict(Options())
    assert {key for key in read if read[key] != default[key]} == {"config_file", "config_digest"}


def test_every_option_named_by_a_key_exists() -> None:
    for key in SERVER.keys:
        target: Any = Options()
        for name in filter(None, key.to.split(".")):
            assert hasattr(target, name), key.name
            target = getattr(target, name)


def test_no_name_belongs_to_two_keys() -> None:
    names = [name for key in SERVER.keys for name in (key.name, *key.aliases)]
    assert len(names) == len(set(names))


def test_the_file_and_its_digest_are_among_the_options(tmp_path: Any) -> None:
    path = tmp_path / "f.conf"
    path.write_text("port: 4222\n")
    loaded = load(str(path))
    assert loaded.options.config_file == str(path)
    assert loaded.options.config_digest == loaded.digest
    assert loaded.digest == "sha256:797533ebd0dfba7d34a0f9337ecf147e442871f48ddfd07ed751575a5737267e"
