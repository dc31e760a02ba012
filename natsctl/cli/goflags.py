"""Go's command line syntax for commands whose options are declared in Typer.

Operators type ``-p 4222``, ``--port=4222`` and ``-DV`` as they do for nats-server, nats-top, nats-bench and cfssl.
Help, man pages and completions see the options as declared; only the reading of the arguments differs.

Source: the documentation of Go's package ``flag``.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass, field
from typing import Any

import typer
from typer.core import TyperCommand

__all__ = ["GoCommand"]

_BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}


class GoCommand(TyperCommand):
    """A command that reads flags as Go programs do.

    One or two dashes are the same. A value follows as the next argument or after ``=``; a boolean takes one only
    after ``=``. Where the metavar is in brackets the value may be left out before another flag and at the end, and is
    "" then. Flags are not bundled, and the last of several wins (an option declared as a list collects them).
    ``--`` ends them, and so does the first word, except where a command takes words: there they may follow, too.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments and leave the values in the context, as Typer's own parser would."""
        params = self.get_params(ctx)
        line = _Line(ctx, {name.lstrip("-"): param for param in params for name in param.opts if name[0] == "-"})
        line.read(args, takes_words=any(param.param_type_name == "argument" for param in params))
        for param in params:
            if param.param_type_name == "argument":
                line.take_words(param)
        for param in sorted(params, key=lambda param: not param.is_eager):
            try:
                param.handle_parse_result(ctx, line.values, line.words)
            except typer.BadParameter as error:
                if param.name not in line.spelling:
                    raise
                line.refuse_value(param, error.message)
        if line.words and not ctx.resilient_parsing:
            ctx.fail(f"unexpected argument {_quoted(line.words[0])}")
        ctx.args = line.words
        return line.words


@dataclass(slots=True)
class _Line:
    """One command line while it is read."""

    ctx: Any
    flags: dict[str, Any]
    """Flag name without dashes to the Typer option."""
    values: dict[str, Any] = field(default_factory=dict)
    """Parameter name to what was given for it."""
    spelling: dict[str, str] = field(default_factory=dict)
    """Parameter name to the flag name that was typed."""
    words: list[str] = field(default_factory=list)
    """What is no flag."""

    def read(self, args: list[str], *, takes_words: bool) -> None:
        """Part the arguments into flags and words."""
        rest = list(args)
        while rest:
            arg = rest.pop(0)
            if arg == "--":
                break
            if len(arg) > 1 and arg[0] == "-":
                self._read_flag(arg, rest)
            else:
                self.words.append(arg)
                if not takes_words:
                    break
        self.words += rest

    def take_words(self, param: Any) -> None:
        """Give a declared argument its share of the words: one, or all of them."""
        n_words = len(self.words) if param.nargs == -1 else param.nargs
        taken, self.words = self.words[:n_words], self.words[n_words:]
        if taken:
            self.values[param.name] = taken[0] if param.nargs == 1 else tuple(taken)

    def refuse_value(self, param: Any, reason: str) -> None:
        """Say that the value given for an option is not of its type, as Go does, or what else is wrong with it."""
        if "a valid" in reason:  # of its type: "a valid integer"
            reason = "parse error"
        value, flag = self.values[param.name], self.spelling[param.name]
        shown = value[-1] if param.multiple else value
        self.ctx.fail(f"invalid value {_quoted(shown)} for flag -{flag}: {reason}")

    def _read_flag(self, arg: str, rest: list[str]) -> None:
        body = arg[2:] if arg.startswith("--") else arg[1:]
        if body[:1] in ("", "-", "="):
            self.ctx.fail(f"bad flag syntax: {arg}")
        flag, equals, text = body.partition("=")
        if flag not in self.flags:
            self.ctx.fail(f"flag provided but not defined: -{flag}{self._nearest(flag)}")
        param = self.flags[flag]
        value: Any = text
        if param.is_flag:
            value = _BOOLEANS.get(text) if equals else True
            if value is None:
                self.ctx.fail(f"invalid boolean value {_quoted(text)} for -{flag}: parse error")
        elif not equals:
            value = self._next_value(flag, rest)
        if param.multiple:
            value = [*self.values.get(param.name, ()), value]
        self.values[param.name] = value
        self.spelling[param.name] = flag

    def _next_value(self, flag: str, rest: list[str]) -> str:
        is_optional = (self.flags[flag].metavar or "").startswith("[")
        if is_optional and (not rest or rest[0].startswith("-")):
            return ""
        if not rest:
            self.ctx.fail(f"flag needs an argument: -{flag}")
        return rest.pop(0)

    def _nearest(self, flag: str) -> str:
        near = difflib.get_close_matches(flag, self.flags, n=1)
        return f" (did you mean -{near[0]}?)" if near else ""


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
