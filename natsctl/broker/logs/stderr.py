"""Lines to standard error, coloured on a terminal."""

from __future__ import annotations

import os

from natsctl.broker.logs.line import LineFormat
from natsctl.broker.logs.sink import DescriptorSink

__all__ = ["StderrSink"]

STDERR = 2


class StderrSink(DescriptorSink):
    """Writes to the process's standard error, past ``sys.stderr`` and its buffer.

    Args:
        logtime: Begin lines with date and time.
        utc: In UTC instead of local time.
    """

    def __init__(self, *, logtime: bool = True, utc: bool = False) -> None:
        super().__init__(STDERR, LineFormat(logtime=logtime, utc=utc, is_coloured=os.isatty(STDERR)))
