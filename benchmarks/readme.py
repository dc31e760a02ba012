"""The table of the README: written from a result, between two comments."""

from __future__ import annotations

from pathlib import Path

from benchmarks.document import Document
from benchmarks.tables import markdown, refusals
from natsctl.errors import BenchError

__all__ = ["BEGIN", "END", "README", "rewrite"]

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"


def rewrite(text: str, document: Document) -> str:
    """Put the table of a result where the README has its marks.

    Raises:
        BenchError: The marks are not there, once each and in order; or a row was refused.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in rest or END in after:
        raise BenchError(f"the README must have {BEGIN} and {END} once each, in this order")
    if refused := refusals(document):
        raise BenchError(f"a result with refused rows is not published: {refused[0]}")
    return f"{before}{BEGIN}\n{markdown(document)}\n{END}{after}"
