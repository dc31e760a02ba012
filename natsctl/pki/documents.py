"""JSON documents as cfssl reads them, with the places of what is wrong in them.

Go's decoder matches keys in any case and takes ``null`` for "not given"; so does this one. Beyond it, a comma before a
closing bracket is accepted, and a key that means nothing is told of: both with a warning.

Source: the documentation of Go's package ``encoding/json``.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, TypeVar, get_args, get_origin

import msgspec

from natsctl.config.words import did_you_mean, quoted
from natsctl.errors import ConfigError, Problem

__all__ = ["MAX_DOCUMENT_BYTES", "parse", "read"]

MAX_DOCUMENT_BYTES = 1 << 20
"""cfssl's documents are a few hundred bytes; what is a thousand times larger is something else."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[^\s",:\[\]{}]+|\S', re.DOTALL)
_NO_VALUE = frozenset({"", "[", "{", ",", ":"})
"""What stands before a comma that does not follow a value."""

T = TypeVar("T", bound=msgspec.Struct)


def read(data: bytes, kind: type[T], file: str) -> tuple[T, list[Problem]]:
    """Read a document of a known kind.

    Args:
        data: The JSON text.
        kind: What its object means.
        file: Its name in problems.

    Returns:
        The document, and what is doubtful in it.

    Raises:
        ConfigError: It is malformed, or a value has the wrong type.
    """
    value, warnings = parse(data, file)
    folded = _fold({} if value is None else value, kind, "", file, warnings)
    try:
        return msgspec.convert(folded, kind), warnings
    except msgspec.ValidationError as error:
        reason, _, path = str(error).replace("`", "").partition(" - at ")
        place = path.removeprefix("$").removeprefix(".")
        _refuse(f"{place}: {_lower(reason)}" if place else _lower(reason), file)


def parse(data: bytes, file: str) -> tuple[Any, list[Problem]]:
    """Parse JSON; a comma before a closing bracket is accepted with a warning.

    Raises:
        ConfigError: It is malformed.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        _refuse(f"{len(data)} bytes exceed the limit of {MAX_DOCUMENT_BYTES}", file)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        raise ConfigError([_problem(before, len(before), "not UTF-8", file)]) from None
    text, commas = _without_trailing_commas(text)
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ConfigError([Problem(_lower(error.msg), file, error.lineno, error.colno)]) from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or brackets a thousand deep
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ConfigError([Problem(_lower(reason), file)]) from None
    return value, [_problem(text, at, "ignored a comma before a closing bracket", file) for at in commas]


def _without_trailing_commas(text: str) -> tuple[str, list[int]]:
    """Blank the commas out, so that all places stay what they are; give where they were."""
    found = []
    before = last = ""
    last_at = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "]}" and last == "," and before not in _NO_VALUE:
            found.append(last_at)
        before, last, last_at = last, token[0], token.start()
    characters = list(text) if found else []
    for at in found:
        characters[at] = " "
    return "".join(characters) or text, found


def _fold(value: Any, kind: Any, path: str, file: str, warnings: list[Problem]) -> Any:
    """Give keys their right case and leave out null, as far as the kind is known."""
    inner = next((kind for kind in get_args(kind) if kind is not type(None)), None)
    if get_origin(kind) not in (list, dict) and inner is not None:  # "kind or None"
        return _fold(value, inner, path, file, warnings)
    if isinstance(value, list) and inner is not None:
        return [_fold(item, inner, f"{path}[{index}]", file, warnings) for index, item in enumerate(value)]
    if isinstance(value, dict) and get_origin(kind) is dict:
        values = {key: item for key, item in value.items() if item is not None}
        return {key: _fold(item, get_args(kind)[1], f"{path}.{key}", file, warnings) for key, item in values.items()}
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _fold_object(value, kind, path, file, warnings)
    if isinstance(value, str) and not value.isascii():
        _check_unicode(value, path, file)
    return value


def _fold_object(
    value: dict[str, Any], kind: type[msgspec.Struct], path: str, file: str, warnings: list[Problem]
) -> dict[str, Any]:
    fields = {field.encode_name.lower(): field for field in msgspec.structs.fields(kind)}
    folded = {}
    for key, item in value.items():
        field = fields.get(key.lower())
        inner_path = f"{path}.{key}".lstrip(".")
        if field is None:
            nearest = did_you_mean(key, (field.encode_name for field in fields.values()))
            warnings.append(Problem(f"unknown key {quoted(inner_path)} has no effect{nearest}", file))
        elif item is not None:
            folded[field.encode_name] = _fold(item, field.type, inner_path, file, warnings)
    return folded


def _check_unicode(value: str, path: str, file: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        _refuse(f"{path}: half of a surrogate pair", file)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _problem(text: str, at: int, message: str, file: str) -> Problem:
    return Problem(message, file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def _refuse(message: str, file: str) -> NoReturn:
    raise ConfigError([Problem(message, file)]) from None


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]
