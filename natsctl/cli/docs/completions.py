"""Completions for bash, zsh, fish and PowerShell; each is one static script, so that a TAB starts no Python.

All four follow the words on the line to the command they are in, then offer its commands, its options, or a value
for the option before the cursor. File names are offered wherever nothing better is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from natsctl.cli.docs.pages import Option, Page

__all__ = ["SCRIPTS", "bash", "fish", "powershell", "zsh"]


def bash(root: Page) -> str:
    """Write the completion of bash (3.2 or later)."""
    paths = "|".join(_quote(page.command) for page in root.walk() if page is not root)
    lines = [
        "# bash completion of natsctl",
        "_natsctl() {",
        "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} path=natsctl words= word",
        "    if [[ $current == = ]]; then",
        "        current=",
        "    elif [[ $before == = ]]; then",
        "        before=${COMP_WORDS[COMP_CWORD-2]}",
        "    fi",
        '    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
        '        case "$path $word" in',
        f'            {paths}) path="$path $word" ;;',
        "        esac",
        "    done",
        "    COMPREPLY=()",
        '    case "$path $before" in',
        *_bash_values(root),
        "    esac",
        "    case $path in",
    ]
    for page in root.walk():
        lines += [f"        {_quote(page.command)})", "            case $current in"]
        lines += [f'                -*) words="{_spellings(page)}" ;;']
        lines += [f'                *) words="{" ".join(child.path[-1] for child in page.children)}" ;;']
        lines += ["            esac", "            ;;"]
    lines += [
        "    esac",
        '    COMPREPLY=($(compgen -W "$words" -- "$current"))',
        "    if [[ -z $words ]]; then",
        '        COMPREPLY=($(compgen -f -- "$current"))',
        "        compopt -o filenames 2>/dev/null",
        "    fi",
        "}",
        "complete -F _natsctl natsctl",
    ]
    return _lines(lines)


def zsh(root: Page) -> str:
    """Write the completion of zsh."""
    lines = ["#compdef natsctl", "# zsh completion of natsctl"]
    for page in root.walk():
        lines += ["", f"{_function(page)}() {{"]
        lines += ["    local context state state_descr line", "    typeset -A opt_args"] if page.children else []
        lines += ["    _arguments -C \\" if page.children else "    _arguments \\"]
        lines += [f"        {spec} \\" for option in page.options for spec in _zsh_specs(page, option)]
        if page.children:
            lines += [
                "        '1: :->command' \\",
                "        '*:: :->arguments'",
                "    case $state in",
                "        command)",
            ]
            lines += ["            local -a commands=("]
            lines += [f"                {_quote(f'{child.path[-1]}:{child.summary}')}" for child in page.children]
            lines += ["            )", "            _describe -t commands command commands", "            ;;"]
            lines += ["        arguments)", "            case $words[1] in"]
            lines += [f"                {child.path[-1]}) {_function(child)} ;;" for child in page.children]
            lines += ["            esac", "            ;;", "    esac"]
        else:
            lines += ["        '*:argument:_files'"]
        lines += ["}"]
    lines += [
        "",
        "if [[ $funcstack[1] == _natsctl ]]; then",
        '    _natsctl "$@"',
        "else",
        "    compdef _natsctl natsctl",
        "fi",
    ]
    return _lines(lines)


def fish(root: Page) -> str:
    """Write the completion of fish."""
    lines = [
        "# fish completion of natsctl",
        "function __natsctl_at --argument-names wanted",
        "    set -l path natsctl",
        "    for word in (commandline -opc)[2..]",
        '        switch "$path $word"',
        f"            case {' '.join(_quote(page.command) for page in root.walk() if page is not root)}",
        '                set path "$path $word"',
        "        end",
        "    end",
        "    test $path = $wanted",
        "end",
    ]
    for page in root.walk():
        at = f"complete -c natsctl -n {_quote(f'__natsctl_at {_quote(page.command)}', double=True)}"
        lines += [""]
        lines += [f"{at} -f"] if page.children else []
        lines += [f"{at} -a {child.path[-1]} -d {_quote(child.summary)}" for child in page.children]
        lines += [f"{at} {_fish_option(page, option)}" for option in page.options]
    return _lines(lines)


def powershell(root: Page) -> str:
    """Write the completion of PowerShell; its tables would take -t and -T for one key, hence the lists."""
    lines = [
        "# PowerShell completion of natsctl",
        "Register-ArgumentCompleter -Native -CommandName natsctl -ScriptBlock {",
        "    param($wordToComplete, $commandAst, $cursorPosition)",
        "    $offers = @{",
    ]
    for page in root.walk():
        offers = [(child.path[-1], child.summary) for child in page.children]
        offers += [(name, _brief(option)) for option in page.options for name in page.spellings(option)]
        lines += [f"        {_ps(page.command)} = @("]
        lines += [f"            {_ps(f'{word} {text}')}" for word, text in offers]
        lines += ["        )"]
    lines += ["    }", "    $takeValues = @("]
    lines += [
        f"        {_ps(f'{page.command} {name}')}"
        for page in root.walk()
        for option in page.options
        for name in page.spellings(option)
        if option.metavar
    ]
    lines += [
        "    )",
        "    $path = 'natsctl'",
        "    $before = ''",
        "    foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {",
        "        if ($element.Extent.EndOffset -ge $cursorPosition) { break }",
        '        $before = "$element"',
        '        if ($offers.Contains("$path $before")) { $path = "$path $before" }',
        "    }",
        '    if ($takeValues -ccontains "$path $before") { return }',
        "    foreach ($offer in $offers[$path]) {",
        "        $word, $text = $offer -split ' ', 2",
        "        if ($word -clike \"$wordToComplete*\" -and ($wordToComplete -or $word -notlike '-*')) {",
        "            [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $text)",
        "        }",
        "    }",
        "}",
    ]
    return _lines(lines)


SCRIPTS: dict[str, Callable[[Page], str]] = {
    "natsctl.bash": bash,
    "_natsctl": zsh,
    "natsctl.fish": fish,
    "natsctl.ps1": powershell,
}
"""File name, as the shell wants it, to what writes the file."""


def _spellings(page: Page) -> str:
    return " ".join(name for option in page.options for name in page.spellings(option))


def _bash_values(root: Page) -> Iterator[str]:
    """Offer what fits behind an option that takes a value; behind most, that is nothing."""
    for page in root.walk():
        for option in page.options:
            if not option.metavar:
                continue
            patterns = "|".join(_quote(f"{page.command} {name}") for name in page.spellings(option))
            if option.takes_file or option.takes_directory:
                kind = "d" if option.takes_directory else "f"
                offer = f'COMPREPLY=($(compgen -{kind} -- "$current")); compopt -o filenames 2>/dev/null; return'
            elif option.choices:
                offer = f'COMPREPLY=($(compgen -W "{" ".join(option.choices)}" -- "$current")); return'
            else:
                offer = "return"
            yield f"        {patterns}) {offer} ;;"


def _zsh_specs(page: Page, option: Option) -> Iterator[str]:
    names = page.spellings(option)
    others = "*" if option.repeats else f"({' '.join(names)})"
    text = _zsh_text(_brief(option))
    value = ""
    if option.metavar:
        value = f":{_zsh_text(option.metavar)}:{_zsh_action(option)}"
    for name in names:
        equals = "=" if option.metavar and (len(name) > 2 or page.in_go_manner) else "+" if option.metavar else ""
        yield _quote(f"{others}{name}{equals}[{text}]{value}")


def _zsh_action(option: Option) -> str:
    if option.choices:
        return f"({' '.join(option.choices)})"
    return "_files -/" if option.takes_directory else "_files" if option.takes_file else " "


def _zsh_text(text: str) -> str:
    return re.sub(r"([\[\]:\\])", r"\\\1", text)


def _fish_option(page: Page, option: Option) -> str:
    parts = []
    for name in page.spellings(option):
        # "-s p" would make fish read "-po" as "-p o"; Go bundles nothing, so every single dash is "-o" there.
        kind = "-l" if name.startswith("--") else "-s" if len(name) == 2 and not page.in_go_manner else "-o"
        parts.append(f"{kind} {name.lstrip('-')}")
    if option.metavar:
        parts.append("-r")
        parts.append(f"-f -a {_quote(' '.join(option.choices))}" if option.choices else _fish_value(option))
    return " ".join([*filter(None, parts), f"-d {_quote(_brief(option))}"])


def _fish_value(option: Option) -> str:
    if option.takes_directory:
        return "-f -a '(__fish_complete_directories)'"
    return "-F" if option.takes_file else "-f"


def _brief(option: Option) -> str:
    return " ".join(option.summary.split())


def _function(page: Page) -> str:
    return "_" + "_".join(page.path).replace("-", "_")


def _quote(text: str, *, double: bool = False) -> str:
    """Quote for a POSIX-like shell and fish: both end a single quote the same way only outside of it."""
    if double:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _ps(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
