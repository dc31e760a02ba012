"""A line to type into above the foot of a screen: a filter, a sort key, a limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Label

__all__ = ["Prompt"]


class Prompt(Horizontal):
    """Asks for one value at a time; Enter takes it if it is valid, Escape goes back to what was before."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", id="prompt.cancel", priority=True)]

    def __init__(self) -> None:
        super().__init__()
        self._take: Callable[[str], str] = lambda value: ""
        self._try: Callable[[str], None] = lambda value: None
        self._before = ""

    def compose(self) -> ComposeResult:
        """Put the question before the line, and what is wrong with the answer after it."""
        yield Label(id="prompt-question", markup=False)
        yield Input(id="prompt-answer", compact=True)
        yield Label(id="prompt-problem", markup=False)

    @property
    def is_open(self) -> bool:
        """Whether it asks for something now."""
        return self.has_class("-open")

    def ask(
        self,
        question: str,
        value: str,
        take: Callable[[str], str],
        *,
        as_typed: Callable[[str], None] | None = None,
    ) -> None:
        """Ask for a value.

        Args:
            question: What stands before the line.
            value: What stands in it at first.
            take: Takes the value at Enter, and tells what is wrong with it, or "".
            as_typed: Is told every change, and the first value again when the user cancels.
        """
        self._take, self._before = take, value
        self._try = as_typed or (lambda value: None)
        self.query_one("#prompt-question", Label).update(question)
        self._complain("")
        answer = self.query_one(Input)
        with answer.prevent(Input.Changed):
            answer.value = value
        self.add_class("-open")
        answer.focus()
        answer.action_select_all()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._complain("")
        self._try(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        problem = self._take(event.value.strip())
        if problem:
            self._complain(problem)
        else:
            self._close()

    def action_cancel(self) -> None:
        """Go back to what was before."""
        self._try(self._before)
        self._close()

    def _complain(self, problem: str) -> None:
        self.query_one("#prompt-problem", Label).update(problem)

    def _close(self) -> None:
        self.remove_class("-open")
        self.screen.focus_next("LineTable")
