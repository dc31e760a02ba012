"""The command tree as plain values: what man pages and completions need to know, and nothing of Typer."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from natsctl.cli.goflags import GoCommand
from natsctl.cli.tree import Branch, build

__all__ = ["Argument", "Option", "Page", "read_tree"]

_FILE_WORDS = ("FILE", "PATH")
_DIRECTORY_WORDS = ("DIR", "DIRECTORY")


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a command."""

    names: tuple[str, ...]
    metavar: str
    """What stands for the value; empty for a flag."""
    summary: str
    group: str
    choices: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    repeats: bool = False

    @property
    def takes_file(self) -> bool:
        """Whether shells complete file names as its value."""
        return self.metavar.upper().endswith(_FILE_WORDS)

    @property
    def takes_directory(self) -> bool:
        """Whether shells complete directory names as its value."""
        return self.metavar.upper().endswith(_DIRECTORY_WORDS)


@dataclass(frozen=True, slots=True)
class Argument:
    """One positional argument of a command."""

    metavar: str
    summary: str
    required: bool
    repeats: bool

    def __str__(self) -> str:
        text = self.metavar + ("..." if self.repeats else "")
        return text if self.required else f"[{text}]"


@dataclass(frozen=True, slots=True)
class Page:
    """One command with everything said about it."""

    path: tuple[str, ...]
    """Words that lead to it: ``("natsctl", "context", "ls")``."""
    summary: str
    description: str
    arguments: tuple[Argument, ...]
    options: tuple[Option, ...]
    children: tuple[Page, ...]
    in_go_manner: bool
    """Whether its flags are read as Go reads them."""

    @property
    def command(self) -> str:
        """The words as typed: ``natsctl context ls``."""
        return " ".join(self.path)

    def spellings(self, option: Option) -> tuple[str, ...]:
        """Give every way to write an option here; Go's manner knows long names with one dash too."""
        more = [name[1:] for name in option.names if self.in_go_manner and name.startswith("--")]
        return tuple(dict.fromkeys([*option.names, *more]))

    def walk(self) -> Iterator[Page]:
        """Give this page and all below it, top down."""
        yield self
        for child in self.children:
            yield from child.walk()


def read_tree() -> Page:
    """Import every command and describe the whole tree."""
    return _page(build(), ("natsctl",))


def _page(command: Any, path: tuple[str, ...]) -> Page:
    summary = command.short_help or ""
    if isinstance(command, Branch):
        summary = command.help
        command = command.load()
    description = inspect.cleandoc(command.help or "").partition("\f")[0]
    options = [_option(param) for param in command.params if param.param_type_name == "option" and not param.hidden]
    last_group = options[-1].group if options and all(option.group for option in options) else ""
    options.append(Option(("-h", "--help"), "", "Show the help and exit.", last_group))
    options.sort(key=lambda option: bool(option.group))  # those without a heading come first
    arguments = [
        _argument(param) for param in command.params if param.param_type_name == "argument" and not param.hidden
    ]
    return Page(
        path=path,
        summary=summary or description.partition("\n")[0],
        description=description,
        arguments=tuple(arguments),
        options=tuple(options),
        children=tuple(
            _page(child, (*path, name)) for name, child in getattr(command, "commands", {}).items() if not child.hidden
        ),
        in_go_manner=isinstance(command, GoCommand),
    )


def _option(param: Any) -> Option:
    choices = _choices(param)
    summary = param.help or ""
    if param.show_default and param.default not in (None, "", False, [], ()) and not param.is_flag:
        summary += f" Default: {getattr(param.default, 'value', param.default)}."
    variables = [param.envvar] if isinstance(param.envvar, str) else param.envvar or []
    return Option(
        names=tuple(sorted((*param.opts, *param.secondary_opts), key=lambda name: name.startswith("--"))),
        metavar="" if param.is_flag or param.count else param.metavar or "|".join(choices) or param.name.upper(),
        summary=summary,
        group=param.rich_help_panel or "",
        choices=choices,
        environment=tuple(variables),
        repeats=param.multiple,
    )


def _argument(param: Any) -> Argument:
    name = (param.metavar or param.name.upper()).strip("[]{}").removesuffix("...")
    return Argument(name, param.help or "", param.required, param.nargs == -1)


def _choices(param: Any) -> tuple[str, ...]:
    """Find the words an option is limited to; the attribute that holds them depends on Typer's version."""
    holder = getattr(param, "type_descriptor", None) or getattr(param, "type", None)
    return tuple(str(getattr(choice, "value", choice)) for choice in getattr(holder, "choices", None) or ())
