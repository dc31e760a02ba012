"""The log of a broker inside somebody's Python program: the ``logging`` logger ``natsctl.broker``."""

from __future__ import annotations

import logging

from natsctl.broker.logs.line import Level
from natsctl.broker.logs.logger import Logger
from natsctl.broker.logs.sink import Sink

__all__ = ["TRACE", "logging_logger"]

TRACE = 5
"""Level of traced wire content, below ``logging.DEBUG``."""

_LEVELS = {
    Level.FATAL: logging.CRITICAL,
    Level.ERROR: logging.ERROR,
    Level.WARN: logging.WARNING,
    Level.INFO: logging.INFO,
    Level.DEBUG: logging.DEBUG,
    Level.TRACE: TRACE,
}


class _LoggingSink(Sink):
    """Hands messages to a logger of the ``logging`` module."""

    def __init__(self, target: logging.Logger) -> None:
        self._target = target

    def write(self, level: Level, text: str) -> None:
        """Log one record."""
        self._target.log(_LEVELS[level], "%s", text)


class _LoggingLogger(Logger):
    """A logger whose levels are those set in ``logging``, now and whenever they change."""

    follows_options = False

    def __init__(self, target: logging.Logger) -> None:
        super().__init__(_LoggingSink(target))
        self._target = target

    @property
    def debug_enabled(self) -> bool:
        """Whether ``logging`` wants debug records."""
        return self._target.isEnabledFor(logging.DEBUG)

    @property
    def trace_enabled(self) -> bool:
        """Whether ``logging`` wants records of level 5."""
        return self._target.isEnabledFor(TRACE)


def logging_logger() -> Logger:
    """Log to ``logging.getLogger("natsctl.broker")``; traces have level 5, named TRACE."""
    if logging.getLevelName(TRACE) == f"Level {TRACE}":  # the program may have a name of its own for it
        logging.addLevelName(TRACE, "TRACE")
    return _LoggingLogger(logging.getLogger("natsctl.broker"))
