"""The broker's voice: one method per level."""

from __future__ import annotations

from natsctl.broker.logs.line import Level
from natsctl.broker.logs.sink import Sink
from natsctl.config.options import LogOptions
from natsctl.errors import ServerError
from natsctl.protocol.quote import escape_unprintable

__all__ = ["Logger"]


class Logger:
    r"""Passes messages of the enabled levels to one sink.

    A message is one line: what would end it or steer a terminal is escaped (a client that calls itself
    ``x\n[1] [INF] forged`` forges nothing), so callers log lists line by line.

    Args:
        sink: Where the lines go.
        debug: Let ``debug`` messages through.
        trace: Let ``trace`` messages through.
    """

    def __init__(self, sink: Sink, *, debug: bool = False, trace: bool = False) -> None:
        self._sink = sink
        self._debug = debug
        self._trace = trace

    follows_options = True
    """Whether the broker's options say where lines go, and which."""

    def follow(self, options: LogOptions, sink: Sink | None) -> None:
        """Let these levels through from now on, to another place if there is one."""
        self._debug, self._trace = options.debug, options.trace
        if sink is not None:
            before, self._sink = self._sink, sink
            before.close()

    @property
    def debug_enabled(self) -> bool:
        """Whether it is worth formatting a debug message."""
        return self._debug

    @property
    def trace_enabled(self) -> bool:
        """Whether it is worth formatting a trace message."""
        return self._trace

    def info(self, text: str) -> None:
        """Tell what an operator expects to read."""
        self._sink.write(Level.INFO, escape_unprintable(text))

    def warn(self, text: str) -> None:
        """Tell what an operator should change."""
        self._sink.write(Level.WARN, escape_unprintable(text))

    def error(self, text: str) -> None:
        """Tell what went wrong, for a peer or for the broker."""
        self._sink.write(Level.ERROR, escape_unprintable(text))

    def fatal(self, text: str) -> None:
        """Tell why the broker ends; ending it is up to the caller."""
        self._sink.write(Level.FATAL, escape_unprintable(text))

    def debug(self, text: str) -> None:
        """Tell what connections go through, if debugging is enabled."""
        if self.debug_enabled:
            self._sink.write(Level.DEBUG, escape_unprintable(text))

    def trace(self, text: str) -> None:
        """Tell what passes over the wire, if tracing is enabled."""
        if self.trace_enabled:
            self._sink.write(Level.TRACE, escape_unprintable(text))

    def reopen(self) -> None:
        """Open the log file again, after it was moved away; stay with the old one if that fails."""
        try:
            is_file = self._sink.reopen()
        except ServerError as error:
            self.error(str(error))
        else:
            self.info("File log re-opened" if is_file else "File log re-open ignored, not a file logger")

    def close(self) -> None:
        """Let go of the file or socket; syslog gets a moment to take the last lines."""
        self._sink.close()
