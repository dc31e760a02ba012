"""From a file or a text to options."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from natsctl.config.document import Node, Plain, digest, plain
from natsctl.config.options import Options
from natsctl.config.parser import Parser, read_source
from natsctl.config.schema import Report
from natsctl.config.server import read_options
from natsctl.errors import ConfigError, Problem

__all__ = ["Loaded", "load", "load_available", "loads", "parse"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that is valid."""

    options: Options
    warnings: tuple[Problem, ...]
    """What is doubtful: a configuration test fails for it, a start goes on."""
    unavailable: tuple[Problem, ...]
    """What the broker cannot do yet: a configuration test passes, a start must not go on."""
    digest: str
    """``sha256:<hex>``, the same that nats-server shows for the file."""
    document: Node
    """The parsed values with their places."""


def load(path: str, environ: Mapping[str, str] | None = None) -> Loaded:
    """Read a configuration file.

    Args:
        path: The file; what it includes is relative to its directory.
        environ: Where variables are looked up that the file does not define; the process environment by default.

    Raises:
        ConfigError: The file cannot be read, or with every problem found in it and what it includes.
    """
    try:
        text = read_source(path)
    except OSError as error:
        raise ConfigError([Problem((error.strerror or "cannot be read").lower(), path)]) from None
    except ValueError as error:
        raise ConfigError([Problem(str(error), path)]) from None
    return _load(text, path, environ, origin=(os.path.realpath(path),))


def load_available(path: str, environ: Mapping[str, str] | None = None) -> Loaded:
    """Read a configuration file that a broker is to run with.

    Raises:
        ConfigError: As for :func:`load`, or the file needs a feature the broker does not have.
    """
    loaded = load(path, environ)
    if loaded.unavailable:
        raise ConfigError(loaded.unavailable)
    return loaded


def loads(text: str, *, file: str = "<string>", environ: Mapping[str, str] | None = None) -> Loaded:
    """Read a configuration from a string.

    Args:
        text: The configuration.
        file: Its name in problems; what it includes is relative to the directory in this name.
        environ: Where variables are looked up that the text does not define; the process environment by default.

    Raises:
        ConfigError: With every problem found.
    """
    return _load(text, file, environ, origin=())


def parse(text: str, *, file: str = "<string>", environ: Mapping[str, str] | None = None) -> dict[str, Plain]:
    """Read any text in the language of ``nats.conf``, whatever its keys mean.

    Returns:
        Dictionaries, lists, strings, integers, floats, booleans and dates with a time zone.

    Raises:
        ConfigError: The text breaks the grammar.
    """
    values = plain(_parse(text, file, environ, origin=()))
    assert isinstance(values, dict)
    return values


def _parse(text: str, file: str, environ: Mapping[str, str] | None, origin: tuple[str, ...]) -> Node:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError([Problem(f"not Unicode text at character {error.start}", file)]) from None
    return Parser(os.environ if environ is None else environ).parse(text, file, origin=origin)


def _load(text: str, file: str, environ: Mapping[str, str] | None, *, origin: tuple[str, ...]) -> Loaded:
    document = _parse(text, file, environ, origin)
    report = Report()
    options = read_options(document, report)
    if not document.value:
        report.warnings.append(Problem("the configuration is empty", file))
    if report.errors:
        raise ConfigError(_in_order([*report.errors, *report.warnings]))
    options.config_file = file
    options.config_digest = digest(document)
    return Loaded(options, _in_order(report.warnings), _in_order(report.unavailable), options.config_digest, document)


def _in_order(problems: list[Problem]) -> tuple[Problem, ...]:
    """Sort by place, the files in the order in which they were met, without repetitions."""
    files = {problem.file: index for index, problem in reversed(list(enumerate(problems)))}
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda problem: (files[problem.file], problem.line, problem.column)))
