"""How problems are found, placed and worded."""

from __future__ import annotations

import pytest

from natsctl.config import loads
from natsctl.config.schema import MAX_PROBLEMS
from natsctl.errors import ConfigError


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loads(text, file="f", environ={})
    return [str(problem) for problem in caught.value.problems]


def warnings(text: str) -> list[str]:
    return [str(problem) for problem in loads(text, file="f", environ={}).warnings]


def test_all_problems_are_collected_in_file_order() -> None:
    text = "port: x\nping_interval: 5\nauthorization {\n  colour: red\n  users: [{user: a, pass: 5 }]\n}\ndebug: 1"
    assert problems(text) == [
        "f:1:1: port must be an integer, found a string",
        "f:2:1: the number 5 counts seconds here; write a duration such as 5s",
        'f:4:3: unknown field "colour"',
        "f:5:21: pass must be a string, found an integer",
        "f:7:1: debug must be a boolean (true or false, not quoted), found an integer",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max_payloud: 5", 'f:1:1: unknown field "max_payloud", did you mean "max_payload"?'),
        ("prot: 5", 'f:1:1: unknown field "prot", did you mean "port"?'),
        ("monitor_prt: 5", 'f:1:1: unknown field "monitor_prt", did you mean "monitor_port"?'),
        ("authorization { usr: a }", 'f:1:17: unknown field "usr", did you mean "user"?'),
        ("cluster { rutes: [] }", 'f:1:11: unknown field "rutes", did you mean "routes"?'),
        ("'qq\\n': 5", 'f:1:1: unknown field "qq\\\\n"'),
    ],
)
def test_an_unknown_key_names_the_nearest_one(text: str, expected: str) -> None:
    assert problems(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("port: '4222'", "port must be an integer, found a string"),
        ("port: 1.5", "port must be an integer, found a float"),
        ("port: yes", "port must be an integer, found a boolean"),
        ("port: [1 ]", "port must be an integer, found an array"),
        ("port: {a: b}", "port must be an integer, found a map"),
        ("port: 2020-01-01T00:00:00Z", "port must be an integer, found a date"),
        ("host: 5", "host must be a string, found an integer"),
        ("listen: yes", "listen must be a port or host:port, found a boolean"),
        ("listen: localhost", 'listen must be a port or host:port, found "localhost"'),
        ("listen: '::1:4222'", 'listen must be a port or host:port, found "::1:4222"'),
        ("listen: 'h:x'", 'listen must end with a port number, found "x"'),
        ("server_name: 'a b'", 'server_name must not contain blanks, found "a b"'),
        ("server_tags: [a, true]", "server_tags must be an array of strings, found a boolean"),
        ("max_payload: 2GB", "max_payload must be from -9223372036854775808 to 2147483647, found 2147483648"),
        ("max_sub_tokens: 256", "max_sub_tokens must be from 1 to 255, found 256"),
        ("ping_interval: abc", 'ping_interval must be a duration such as 500ms, 30s or 1h30m, found "abc"'),
        ("ping_interval: 1d", 'ping_interval must be a duration such as 500ms, 30s or 1h30m, found "1d"'),
        ("write_timeout: no-way", "write_timeout must be one of 'default', 'close', 'retry', found \"no-way\""),
        ("lame_duck_duration: '10s'", "lame_duck_duration must be at least 30 s, found 10 s"),
        ("authorization: yes", "authorization must be a map, found a boolean"),
        ("authorization { users: 5 }", "users must be an array of users, found an integer"),
        ("authorization { users: [{password: x}] }", "a user needs a user name or an nkey"),
        ("accounts { A: x }", 'account "A" must be a map, found a string'),
        ("accounts: yes", "accounts must be a map or an array of names, found a boolean"),
        ("cluster: 5", "cluster must be a map, found an integer"),
    ],
)
def test_a_wrong_value_is_described_in_words(text: str, expected: str) -> None:
    (found,) = problems(text)
    assert found.split(": ", 1)[1] == expected


@pytest.mark.parametrize("secret", ["hunter2", "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"])
@pytest.mark.parametrize(
    "text",
    [
        "authorization {{ user: a, password: [{}] }}",
        "authorization {{ users: [{{nkey: {}}}] }}",
        "authorization {{ users: [{}] }}",
        "authorization {{ user: a, password: {} x }}",
        "authorization {{ user: a, password: ${} }}",
        "accounts {{ A {{ nkey: {} }} }}",
        "cluster {{ routes: ['nats://u:{}@[h'] }}",
        "leafnodes {{ remotes: [{{url: 'nats://h', nkey: {}x}}] }}",
    ],
)
def test_no_problem_repeats_a_secret(text: str, secret: str) -> None:
    for problem in problems(text.format(secret)):
        assert secret not in problem


@pytest.mark.parametrize("text", ["", "# a\n// b\n\n", "{}"])
def test_an_empty_configuration_is_a_warning(text: str) -> None:
    assert warnings(text) == ["f: the configuration is empty"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ping_interval: 30", "f:1:1: the number 30 counts seconds here; write a duration such as 30s"),
        (
            "authorization { timeout: 2m }",
            "f:1:17: a timeout of 2e+06 s is above 60 s (1m without quotes is a million, not a minute)",
        ),
        ("cluster { routes: ['nats://u:p@h:1', 'nats://u:p@h:1'] }", 'f:1:11: duplicate route "h:1"'),
        ("cluster { ping_interval: '40s' }", "f:1:11: routes are pinged at least every 30 s, 40 s is not used"),
    ],
)
def test_what_is_doubtful_is_a_warning(text: str, expected: str) -> None:
    assert warnings(text) == [expected]


def test_a_key_that_serves_as_a_variable_is_not_unknown() -> None:
    assert not warnings("V: 5k\nmax_payload: $V")
    assert problems("V: 5k") == ['f:1:1: unknown field "V"']


def test_the_number_of_problems_is_bounded() -> None:
    assert len(problems("".join(f"k{index}: 1\n" for index in range(50_000)))) == MAX_PROBLEMS


def test_text_that_is_not_unicode_is_refused() -> None:
    assert problems("port: \udcff") == ["f: not Unicode text at character 6"]
