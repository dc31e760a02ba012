"""The colours: dark, light, and none at all."""

from __future__ import annotations

import os

from textual.theme import BUILTIN_THEMES, Theme

__all__ = ["NO_COLOUR", "THEMES", "first_theme"]

NO_COLOUR = "no-colour"

_ANSI = BUILTIN_THEMES["ansi-dark"]
_DEFAULT = "ansi_default"

THEMES = (
    Theme(
        name="natsctl-dark",
        primary="#4aa8ff",
        secondary="#375c7a",
        accent="#34d399",
        warning="#f5b942",
        error="#ff6b6b",
        success="#34d399",
        foreground="#d7dde4",
        background="#10151b",
        surface="#151c24",
        panel="#1d2731",
        dark=True,
    ),
    Theme(
        name="natsctl-light",
        primary="#0b63b6",
        secondary="#7fa3c4",
        accent="#047857",
        warning="#9a5b00",
        error="#b42318",
        success="#047857",
        foreground="#1b232c",
        background="#fbfcfd",
        surface="#f1f4f7",
        panel="#e2e8ee",
        dark=False,
    ),
    Theme(
        name=NO_COLOUR,
        ansi=True,
        primary=_DEFAULT,
        secondary=_DEFAULT,
        accent=_DEFAULT,
        warning=_DEFAULT,
        error=_DEFAULT,
        success=_DEFAULT,
        foreground=_DEFAULT,
        background=_DEFAULT,
        surface=_DEFAULT,
        panel=_DEFAULT,
        boost=_DEFAULT,
        variables={name: _DEFAULT if value.startswith("ansi_") else value for name, value in _ANSI.variables.items()}
        | {"block-cursor-text-style": "reverse", "input-cursor-text-style": "reverse"},
    ),
)
"""The first is the one to begin with. All of Textual's own can be chosen as well."""


def first_theme() -> str:
    """The theme to begin with: without colours where ``NO_COLOR`` is set and not empty, see https://no-color.org."""
    return NO_COLOUR if os.environ.get("NO_COLOR") else THEMES[0].name
