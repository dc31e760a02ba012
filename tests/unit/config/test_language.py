"""What the text of a configuration means as plain values."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from natsctl.config import parse
from natsctl.errors import ConfigError


def problem(text: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text, file="f", environ=environ or {})
    (found,) = caught.value.problems
    return str(found)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("Yes", True),
        ("ON", True),
        ("off", False),
        ("no", False),
        ('"true"', "true"),
        ("7", 7),
        ("-7", -7),
        ("007", 7),
        ("1k", 1000),
        ("1K", 1000),
        ("1kb", 1024),
        ("1Ki", 1024),
        ("1KiB", 1024),
        ("2m", 2_000_000),
        ("2MB", 2 * 1024**2),
        ("-3GiB", -3 * 1024**3),
        ("1t", 10**12),
        ("1tb", 1024**4),
        ("1p", 10**15),
        ("1e", 10**18),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("1.5", 1.5),
        ("-0.25", -0.25),
        ("2016-05-04T18:53:41Z", datetime(2016, 5, 4, 18, 53, 41, tzinfo=UTC)),
        ("127.0.0.1:4222", "127.0.0.1:4222"),
        ("0.0.0.0:-1", "0.0.0.0:-1"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("3xyz", "3xyz"),
        ("1k5", "1k5"),
        ("foo#c", "foo#c"),
        ("foo//c", "foo//c"),
        ("foo # c", "foo"),
        ("foo // c", "foo"),
        ("foo /", "foo"),
        ("a.>:b@c*-_/", "a.>:b@c*-_/"),
        (r"a\tb\x41", "a\tbA"),
        (r'"a\tb\x41\"\\"', 'a\tbA"\\'),
        (r'"\xc3\xa9"', "é"),
        (r"'a\tb\x41'", r"a\tb\x41"),
        ("'a\"b'", 'a"b'),
        ('"two\nlines"', "two\nlines"),
        ("(\n  any ' \" } text\n)\n", "\n  any ' \" } text\n"),
        ("( x\n)\n", " x\n"),
        ("[1, 2 ]", [1, 2]),
        ("{}", {}),
        ("[]", []),
        ("[a, 'b'\n c # d\n]", ["a", "b", "c"]),
        ("[[a], {b: c}]", [["a"], {"b": "c"}]),
        ("{a: b, c: d; e: f\n g: h}", {"a": "b", "c": "d", "e": "f", "g": "h"}),
        ("{a\n:\n b}", {"a": "b"}),
        ("", ""),
    ],
)
def test_a_value_is_read_as_nats_server_reads_it(written: str, value: object) -> None:
    assert parse(f"k: {written}") == {"k": value}


@pytest.mark.parametrize("separator", [": ", ":", " = ", "=", " ", "\t", "\n"])
def test_a_key_and_its_value_are_separated_in_any_way(separator: str) -> None:
    assert parse(f"key{separator}value") == {"key": "value"}
    assert parse(f"'a key'{separator}value") == {"a key": "value"}


@pytest.mark.parametrize("end", ["\n", "\r\n", ", ", "; ", " # c\n", " // c\n"])
def test_entries_end_in_any_way(end: str) -> None:
    assert parse(f"a: b{end}c: d") == {"a": "b", "c": "d"}


@pytest.mark.parametrize(
    "text",
    [
        "{a: b, c: d}",
        '{"a": "b", "c": "d"}',
        "{\n{\na: b\nc: d // x\n}\n# y\n}\n# z\n",
        "a: b\nc: d\n}\n",
        "a: b, c: d }",
        "{a: b\nc: d\n",
    ],
)
def test_braces_may_enclose_a_whole_file(text: str) -> None:
    assert parse(text) == {"a": "b", "c": "d"}


def test_the_last_of_equal_keys_wins() -> None:
    assert parse("a: 1\nb: 2\na: 3") == {"b": 2, "a": 3}


def test_a_map_needs_no_separator() -> None:
    assert parse("a { b: c }") == parse("a: { b: c }") == {"a": {"b": "c"}}


def test_an_integer_right_before_a_bracket_begins_a_string() -> None:
    """The official server reads on after the digits; with a blank the integer is one."""
    assert parse("k: [1]]") == {"k": ["1]"]}
    assert parse("k: [1 ]") == {"k": [1]}
    assert parse("k: [1k]") == {"k": ["1k"]}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a: b c", "f:1:6: expected the end of the line after a value, found 'c'"),
        ("\n  a: 1.5k", "f:2:9: expected the end of the line after a value, found 'k'"),
        ("a", 'f:1:1: key "a" has no value'),
        ("x: 1\n  a  ", 'f:2:3: key "a" has no value'),
        (": 5", "f:1:1: expected a key, found ':'"),
        ("a =\n", "f:1:4: expected a value, found '\\n'"),
        ("a { b: c", "f:1:9: expected ',', a new line or '}' after a value in a map"),
        ("a {\n", "f:2:1: the file ends inside a map"),
        ("a { b }", 'f:1:5: key "b" has no value'),
        ("a [ b", "f:1:6: expected ',', a new line or ']' after a value in an array"),
        ("a [ b,, c ]", "f:1:7: expected a value in an array, found ','"),
        ("a: 'b", "f:1:4: a quote has no end"),
        ('a: "b', "f:1:4: a quoted string has no end"),
        ("'a", "f:1:1: a quote has no end"),
        (r'a: "b\q"', "f:1:6: invalid escape character 'q', allowed are \\xHH \\t \\n \\r \\\" \\\\"),
        (r'a: "\x4"', "f:1:5: expected two hexadecimal digits after \\x"),
        (r'a: "\xff"', "f:1:5: the \\x escapes of this string are not UTF-8"),
        ("a: (\n b\n c)", "f:1:4: a block has no line that holds only ')'"),
        ("a: .5", "f:1:4: expected a value (a number begins with a digit), found '.'"),
        ("a: -b", "f:1:5: expected a digit, found 'b'"),
        ("a: 12-ab", "f:1:4: expected a date of the form 2006-01-02T15:04:05Z"),
        ("a: 2020-13-01T00:00:00Z", 'f:1:4: "2020-13-01T00:00:00Z" is not a date of the calendar'),
        ("a: 9223372036854775808", "f:1:4: the integer does not fit into 64 bits"),
        ("a: " + "9" * 5000, "f:1:4: the integer does not fit into 64 bits"),
        ("a: 10e", "f:1:4: the integer does not fit into 64 bits"),
        ("a: 1kbb", 'f:1:4: unknown size suffix "kbb"'),
        ("a: ٣", "f:1:4: an integer is written with the digits 0 to 9"),
        ("a: b\n\0", "f:2:1: a NUL character is not allowed"),
        ("include [x]", "f:1:9: expected the name of a file to include, found '['"),
    ],
)
def test_a_broken_text_is_refused_with_its_place(text: str, where: str) -> None:
    assert problem(text) == where


def test_deep_nesting_is_refused_and_not_followed() -> None:
    assert parse("a: " + "[" * 99 + "]" * 99)
    assert "nested deeper than 100 levels" in problem("a: " + "[" * 100_000)
    assert "nested deeper than 100 levels" in problem("{" * 100_000)
    ladder = "a0: {x: 1}\n" + "".join(f"a{i}: {{x: $a{i - 1} }}\n" for i in range(1, 200))
    assert "nested deeper than 100 levels" in problem(ladder)


def test_references_that_grow_exponentially_are_refused() -> None:
    laughs = "a0: [ha, ha]\n" + "".join(f"a{i}: [$a{i - 1}, $a{i - 1}]\n" for i in range(1, 60))
    assert "values when its variables are written out" in problem(laughs)


# --- variables -------------------------------------------------------------------------------------------------------


def test_a_variable_is_looked_up_from_the_inside_out_and_then_in_the_environment() -> None:
    environ = {"V": "from outside", "W": "4KB"}
    text = "P = outer\nm { P = inner, a: $P, n { b: $P } }\nc: $P\nd: $W"
    assert parse(text, environ=environ) == {
        "P": "outer",
        "m": {"P": "inner", "a": "inner", "n": {"b": "inner"}},
        "c": "outer",
        "d": 4096,
    }


@pytest.mark.parametrize(
    ("value", "meaning"),
    [("4222", 4222), ("{a: [b]}", {"a": ["b"]}), ("'3x'", "3x"), ("true", True), ("", ""), ("$OTHER", 5)],
)
def test_an_environment_value_is_a_value_of_the_language(value: str, meaning: object) -> None:
    assert parse("k: $V", environ={"V": value, "OTHER": "5"}) == {"k": meaning}


def test_a_variable_is_not_expanded_inside_quotes() -> None:
    assert parse("a: '$V', b: \"$V\"", environ={}) == {"a": "$V", "b": "$V"}


def test_a_bcrypt_hash_is_a_string_and_not_a_variable() -> None:
    secret = "$2a$05$3sUmt85WN3mxMIftGs3steLlGT2m3uhnDkCB.nQ1iNNO5fqfJWLai"
    assert parse(f"password: {secret}", environ={}) == {"password": secret}


def test_an_undefined_variable_is_named_with_its_place() -> None:
    assert problem("a: b\nk: $V") == 'f:2:4: variable "V" is not defined'
    assert problem("k: $V\nV: 5") == 'f:1:4: variable "V" is not defined'


def test_a_variable_that_may_be_a_password_is_not_repeated() -> None:
    assert problem("password: $ecret") == "f:1:11: the variable is not defined"


def test_environment_values_that_refer_to_one_another_are_refused() -> None:
    assert "not a configuration value" in problem("k: $A", {"A": "$B", "B": "$A"})
    assert "not a configuration value" in problem("k: $V0", {f"V{i}": f"$V{i + 1}" for i in range(2000)})


def test_what_is_wrong_in_an_environment_value_is_not_repeated() -> None:
    found = problem("k: $V", {"V": "hunter2 hunter3"})
    assert found == 'f:1:4: the environment\'s value of variable "V" is not a configuration value'
