"""Properties of the configuration language over generated and over arbitrary text."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from natsctl.config import Loaded, Node, loads, parse
from natsctl.errors import ConfigError

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
_KEY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='\0"'), max_size=10)
_INTEGER = st.integers(-(2**63), 2**63 - 1)
_FLOAT = st.floats(allow_nan=False, allow_infinity=False)
_DATE = st.datetimes(datetime(1000, 1, 1), datetime(9999, 1, 1)).map(
    lambda date: date.replace(microsecond=0, tzinfo=UTC)
)
_SCALAR = st.one_of(st.booleans(), _INTEGER, _FLOAT, _TEXT, _DATE)
_VALUE = st.recursive(
    _SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEY, inner, max_size=4),
    max_leaves=20,
)
_DOCUMENT = st.dictionaries(_KEY, _VALUE, max_size=5)


def write(value: Any) -> str:
    """Write a value in the language, by rules of our own."""
    if isinstance(value, bool):
        return "yes" if value else "OFF"
    if isinstance(value, str):
        return write_string(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, float):
        return f"{value:.400f}"
    if isinstance(value, list):
        return "[" + "".join(f" {write(item)} ," for item in value) + "]"
    if isinstance(value, dict):
        return "{ " + " ; ".join(f'"{key}" = {write(item)}' for key, item in value.items()) + " }"
    return str(value)


def write_string(text: str) -> str:
    if "'" not in text:
        return f"'{text}'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(_DOCUMENT)
def test_what_was_written_is_read_back(document: dict[str, Any]) -> None:
    text = "".join(f'"{key}" : {write(value)} # c\n' for key, value in document.items())
    assert parse(text, environ={}) == document


_PRINTED = st.characters(categories=["L", "N", "P", "S"])
_JSON_KEY = st.text(_PRINTED, max_size=10).filter(lambda key: not set('"\\') & set(key))


@given(st.dictionaries(_JSON_KEY, st.text(_PRINTED, max_size=20), max_size=5))
def test_json_is_read_as_json(document: dict[str, str]) -> None:
    assert parse(json.dumps(document, ensure_ascii=False), environ={}) == document
    assert parse(json.dumps(document, ensure_ascii=False, indent=2), environ={}) == document


@given(st.text(st.sampled_from("ab1k5.-:=,;#/{}[]()'\"\\$x \t\r\n\xa0é"), max_size=60))
@example('a: "\\')
@example("a: 1")
@example("{a:1}}")
@settings(max_examples=500)
def test_any_text_gives_a_configuration_or_problems(text: str) -> None:
    try:
        assert isinstance(loads(text, environ={"x": "{", "": "$x"}), Loaded)
    except ConfigError as error:
        assert error.problems


@given(st.binary(max_size=60))
def test_any_bytes_give_a_configuration_or_problems(data: bytes) -> None:
    try:
        assert isinstance(loads(data.decode("latin-1"), environ={}), Loaded)
    except ConfigError as error:
        assert error.problems


_BLOCKS = ["authorization", "accounts", "cluster", "leafnodes", "gateway", "websocket", "mqtt", "tls", "jetstream"]
_NAMES = ["users", "user", "password", "remotes", "urls", "routes", "exports", "imports", "stream", "A", "timeout"]


@given(
    st.dictionaries(
        st.sampled_from(_BLOCKS),
        st.recursive(
            _SCALAR,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=3),
            max_leaves=8,
        ),
        max_size=2,
    )
)
@settings(max_examples=300)
def test_any_value_of_a_known_key_gives_a_configuration_or_problems(document: dict[str, Any]) -> None:
    text = "\n".join(f"{key}: {write(value)}" for key, value in document.items())
    try:
        loads(text, environ={})
    except ConfigError as error:
        assert all(problem.line >= 1 and problem.column >= 1 for problem in error.problems)


@given(
    st.lists(st.sampled_from(["\n", "  ", "\t", "# c\n", "\r\n", "// é\n", "a: b\n", "b { c: d }\n", "c: 'é\n'\n"])),
    st.integers(0, 5),
)
def test_a_place_points_at_the_key(before: list[str], indent: int) -> None:
    prefix = "".join(before)
    if not prefix.endswith("\n"):
        prefix += "\n"
    text = f"{prefix}{' ' * indent}needle: [ x, {{ inner: y }} ]"
    root = loads_document(text)
    lines = text.split("\n")
    needle = root["needle"]
    assert (needle.place.line, needle.place.column) == (len(lines), indent + 1)
    assert isinstance(needle.value, list)
    item = needle.value[1]
    assert isinstance(item.value, dict)
    assert item.value["inner"].place.column == lines[-1].index("inner") + 1


def loads_document(text: str) -> dict[str, Node]:
    """Parse without asking what the keys mean."""
    from natsctl.config.parser import Parser

    value = Parser({}).parse(text, "f").value
    assert isinstance(value, dict)
    return value
