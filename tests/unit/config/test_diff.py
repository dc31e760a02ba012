"""Which options a reload may change, what the log says, and what is refused by which name."""

from __future__ import annotations

import pytest

from natsctl.broker.reload.effects import EFFECTS
from natsctl.config import Options, loads
from natsctl.config.diff import SETTINGS, diff, unlisted
from natsctl.errors import ReloadError

ALWAYS = ["Reloaded: authorization users", "Reloaded: accounts"]
NKEY = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
LINKS = {"cluster"}
"""What is refused as a whole."""


def options(text: str) -> Options:
    return loads(text, environ={}).options


def messages(old: str, new: str) -> list[str]:
    return [change.message for change in diff(options(old), options(new))]


def test_without_a_change_the_log_still_names_users_and_accounts() -> None:
    assert messages("debug: true", "debug: true") == ALWAYS


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "debug: true, trace: true", ["Reloaded: trace = true", "Reloaded: debug = true", *ALWAYS]),
        ("client_advertise: '1.2.3.4:5'", "", ["Reload: client_advertise = ", *ALWAYS]),
        ("max_connections: 10", "max_connections: 0", ["Reloaded: max_connections = -1", *ALWAYS]),
        ("", f"authorization {{ users: [{{nkey: {NKEY}}}] }}", ["Reloaded: authorization nkey users", *ALWAYS]),
        ("authorization { token: a }", "authorization { token: b }", [*ALWAYS, "Reloaded: authorization token"]),
        (
            "authorization { user: a, password: b }",
            "authorization { timeout: 2.5 }",
            [
                *ALWAYS,
                "Reloaded: authorization username",
                "Reloaded: authorization password",
                "Reloaded: authorization timeout = 2.5",
            ],
        ),
        (
            "",
            "ping_interval: '90s', ping_max: 3",
            [*ALWAYS, "Reloaded: ping_interval = 1m30s", "Reloaded: ping_max = 3"],
        ),
        ("", "no_fast_producer_stall: true", [*ALWAYS, "Reloaded: fast producers will not be stalled"]),
        ("no_fast_producer_stall: true", "", [*ALWAYS, "Reloaded: fast producers will be stalled"]),
        ("", "pid_file: '/tmp/a.pid'", [*ALWAYS, "Reloaded: pid_file = /tmp/a.pid"]),
        ("pid_file: '/tmp/a.pid'", "", [*ALWAYS, ""]),
        ("", "write_deadline: '3s'", [*ALWAYS, "Reloaded: write_deadline = 3s"]),
        ("", "server_tags: [a], server_metadata: {b: c}", [*ALWAYS, "Reloaded: tags", "Reloaded: metadata"]),
    ],
)
def test_each_change_has_its_line(old: str, new: str, expected: list[str]) -> None:
    assert messages(old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [
        ("", "server_name: x", "ServerName: old=, new=x"),
        ("", "max_pending: 5MB", "MaxPending: old=67108864, new=5242880"),
        ("", "lame_duck_duration: '1m'", "LameDuckDuration: old=2m0s, new=1m0s"),
        ("", "write_timeout: close", "WriteTimeout: old=, new=close"),
        ("", "no_header_support: true", "NoHeaderSupport: old=false, new=true"),
        ("", "max_pending: 5MB, server_name: x, max_closed_clients: 7", "ServerName: old=, new=x"),
        ("", "cluster { name: c, port: 6222 }", "cluster host: old=, new=0.0.0.0"),
        (
            "no_auth_user: a, authorization: {users: [{user: a}]}",
            "authorization: {users: [{user: a}]}",
            "NoAuthUser: old=a, new=",
        ),
    ],
)
def test_what_cannot_change_says_so_by_name(old: str, new: str, refusal: str) -> None:
    with pytest.raises(ReloadError, match=f"^config reload not supported for {refusal}$") as refused:
        diff(options(old), options(new))
    assert refused.value.option == refusal.partition(":")[0]


def test_the_no_auth_user_may_go_together_with_the_user() -> None:
    assert messages("no_auth_user: a, authorization: {users: [{user: a}]}", "") == ALWAYS


def test_a_refusal_of_a_link_shows_no_password() -> None:
    old = options("cluster { name: c, port: 6222, routes: ['nats://a:secret@h:1'] }")
    new = options("cluster { name: c, port: 6222, routes: ['nats://a:geheim@h:1'] }")
    try:
        diff(old, new)
    except ReloadError as error:
        assert "secret" not in str(error)
        assert "geheim" not in str(error)


def test_every_option_is_in_the_table() -> None:
    assert set(unlisted()) <= LINKS


def test_every_line_of_the_table_is_about_an_option() -> None:
    for setting in SETTINGS:
        setting.of(Options())
        assert hasattr(Options(), setting.path.partition(".")[0])


def test_every_effect_belongs_to_an_option_that_may_change() -> None:
    assert EFFECTS.keys() <= {setting.path for setting in SETTINGS if setting.say is not None}
