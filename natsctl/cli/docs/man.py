"""Man pages in roff's man(7) language, one for each command."""

from __future__ import annotations

from collections.abc import Iterator

from natsctl import __version__
from natsctl.cli.docs.examples import EXAMPLES
from natsctl.cli.docs.exits import check_codes, exit_codes
from natsctl.cli.docs.pages import Option, Page

__all__ = ["ENVIRONMENT", "render_man"]

ENVIRONMENT = {
    "COLUMNS": "Width of help texts and tables.",
    "NATSCTL_ENGINE": "Data plane of the broker: auto, native or pure.",
    "NATSCTL_TRACEBACK": "When set, an internal error shows where it happened.",
}
"""Variables that every command knows."""


def render_man(page: Page, parent: Page | None) -> str:
    """Write the man page of one command."""
    lines = [f'.TH "{_title(page).upper()}" "1" "" "natsctl {__version__}" "natsctl manual"']
    lines += [".SH NAME", f"{_text(_title(page))} \\- {_text(_clause(page.summary))}"]
    lines += [".SH SYNOPSIS", *_synopsis(page)]
    lines += [".SH DESCRIPTION", *_paragraphs(page.description)]
    lines += _arguments(page)
    lines += _commands(page)
    lines += [".SH OPTIONS", *_options(page)]
    lines += [".SH EXIT STATUS", *_exit_status(page)]
    lines += [".SH ENVIRONMENT", *_definitions(_environment(page))]
    lines += [".SH EXAMPLES", *_examples(page)]
    lines += [".SH SEE ALSO", *_see_also(page, parent)]
    return "\n".join(lines) + "\n"


def _title(page: Page) -> str:
    return "-".join(page.path)


def _clause(text: str) -> str:
    """Make the end of ``name - what it does`` from a sentence."""
    return text[:1].lower() + text[1:].removesuffix(".")


def _synopsis(page: Page) -> list[str]:
    tail = (
        "\\fICOMMAND\\fR ..." if page.children else " ".join(f"\\fI{_text(str(item))}\\fR" for item in page.arguments)
    )
    return [f"\\fB{_text(page.command)}\\fR [\\fIOPTIONS\\fR] {tail}".rstrip()]


def _arguments(page: Page) -> list[str]:
    told = {item.metavar: item.summary for item in page.arguments if item.summary}
    return [".SH ARGUMENTS", *_definitions(told)] if told else []


def _commands(page: Page) -> list[str]:
    listed = {child.path[-1]: child.summary for child in page.children}
    return [".SH COMMANDS", *_definitions(listed)] if listed else []


def _options(page: Page) -> Iterator[str]:
    group = ""
    for option in page.options:
        if option.group != group:
            group = option.group
            yield f".SS {_text(group or 'Other')}"
        yield from (".TP", _names(option), _text(_summary(option)))


def _names(option: Option) -> str:
    names = ", ".join(f"\\fB{_text(name)}\\fR" for name in option.names)
    return f"{names} \\fI{_text(option.metavar)}\\fR" if option.metavar else names


def _summary(option: Option) -> str:
    summary = " ".join(option.summary.split())
    return f"{summary} Environment: {', '.join(option.environment)}." if option.environment else summary


def _exit_status(page: Page) -> Iterator[str]:
    codes = check_codes() if page.path[1:2] == ("check",) else exit_codes()
    return _definitions({str(int(code)): text for code, text in codes.items()})


def _environment(page: Page) -> dict[str, str]:
    own = {name: f"Stands in for {option.names[-1]}." for option in page.options for name in option.environment}
    return dict(sorted((own | ENVIRONMENT).items()))


def _examples(page: Page) -> Iterator[str]:
    for number, (purpose, command) in enumerate(EXAMPLES[page.command]):
        yield from ([".PP"] if number else [])
        yield from (_text(purpose), ".PP", ".in +4n", ".EX", *map(_text, command.splitlines()), ".EE", ".in")


def _see_also(page: Page, parent: Page | None) -> Iterator[str]:
    related = [*([parent] if parent else []), *page.children]
    if parent:
        related += [child for child in parent.children if child is not page]
    pages = [f".BR {_text(_title(other))} (1)" for other in related]
    yield from (f"{line} ," for line in pages[:-1])
    yield from pages[-1:]


def _definitions(items: dict[str, str]) -> Iterator[str]:
    for term, text in items.items():
        yield from (".TP", f"\\fB{_text(term)}\\fR", _text(text))


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.split("\n\n")):
        yield from ([".PP"] if number else [])
        lines = paragraph.splitlines()
        if lines[:1] == ["\b"] or all(line.startswith("  ") for line in lines):  # lines that stay as they are
            yield from (".EX", *(_text(line) for line in lines if line != "\b"), ".EE")
        else:
            yield from map(_text, lines)


def _text(text: str) -> str:
    """Write text so that roff takes nothing in it for a command."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("^", "\\(ha").replace("~", "\\(ti")
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped
