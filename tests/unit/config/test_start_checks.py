"""What stops a start although the configuration is valid."""

from __future__ import annotations

import pytest

from natsctl.config import Options, check_start, loads


def check(text: str) -> list[str]:
    return [problem.message for problem in check_start(loads(text, environ={}).options)]


@pytest.mark.parametrize(
    "text",
    [
        "max_payload: 64MB, max_pending: 64MB",
        "max_payload: -1",
        "port: -1",
        "authorization { users: [{user: a}] }\nno_auth_user: a",
        "accounts { A { users: [{user: a}] } }\nno_auth_user: a\nsystem_account: A",
        "system_account: '$SYS'",
        "accounts: [A]\nleafnodes { remotes: [{url: nats://hub, account: A}] }",
        "client_advertise: '[::1]:4222'",
    ],
)
def test_options_that_fit_together_may_start(text: str) -> None:
    assert check(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max_payload: 1g", "max_payload of 1000000000 is larger than max_pending of 67108864"),
        ("no_auth_user: zz", "no_auth_user is set but no users are defined"),
        ("authorization { users: [{user: a}] }\nno_auth_user: zz", 'no_auth_user "zz" is not one of the users'),
        ("system_account: NOPE", 'system_account "NOPE" is not defined in accounts'),
        ("accounts: [A], system: A, no_system: true", "system_account and no_system_account cannot both be set"),
        ("port: 70000", "port must be from -1 to 65535, found 70000"),
        ("client_advertise: 'a:b:c'", 'client_advertise must be host or host:port, found "a:b:c"'),
        ("max_control_line: -5", "max_control_line must be above 0, found -5"),
        ("ping_interval: '-5s'", "ping_interval must be above 0, found -5"),
        ("leafnodes { port: 70000 }", "leafnodes port must be from -1 to 65535, found 70000"),
        ("leaf { remotes: [{url: nats://h, account: A}] }", 'account "A" of leafnode remote 1 is not defined'),
        ("leafnodes { port: -1, tls {} }", "leafnodes tls needs a certificate and its key"),
        ("leafnodes { reconnect: '-1s' }", "leafnodes reconnect must be above 0, found -1"),
        ("leafnodes { remotes: [{url: nats://:7422}] }", "leafnode remote 1 url 1 needs a host"),
        ("leafnodes { authorization { user: a, account: A } }", 'account "A" of leafnodes is not defined'),
        ("ping_max: -1", "ping_max must not be negative, found -1"),
    ],
)
def test_options_that_do_not_fit_together_stop_a_start(text: str, expected: str) -> None:
    assert check(text) == [expected]


def test_a_problem_names_the_file_the_options_came_from() -> None:
    (problem,) = check_start(Options(port=-2, config_file="x.conf"))
    assert str(problem) == "x.conf: port must be from -1 to 65535, found -2"
