import pytest

from natsctl.broker.logs import Level, Logger
from natsctl.broker.logs.sink import Sink
from natsctl.errors import ServerError


class Memory(Sink):
    """Keeps what is written; reopening does what it is told."""

    def __init__(self, is_file: bool | ServerError = False) -> None:
        self.lines: list[tuple[Level, str]] = []
        self.is_closed = False
        self._is_file = is_file

    def write(self, level: Level, text: str) -> None:
        self.lines.append((level, text))

    def reopen(self) -> bool:
        if isinstance(self._is_file, ServerError):
            raise self._is_file
        return self._is_file

    def close(self) -> None:
        self.is_closed = True


def test_each_level_reaches_the_sink() -> None:
    sink = Memory()
    logger = Logger(sink, debug=True, trace=True)
    for say in (logger.fatal, logger.error, logger.warn, logger.info, logger.debug, logger.trace):
        say("x")
    assert sink.lines == [(level, "x") for level in Level]


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("trace", [True, False])
def test_debug_and_trace_are_enabled_one_by_one(debug: bool, trace: bool) -> None:
    sink = Memory()
    logger = Logger(sink, debug=debug, trace=trace)
    logger.debug("d")
    logger.trace("t")
    assert (logger.debug_enabled, logger.trace_enabled) == (debug, trace)
    assert [text for _, text in sink.lines] == ["d"] * debug + ["t"] * trace


@pytest.mark.parametrize("level", ["fatal", "error", "warn", "info", "debug", "trace"])
def test_a_message_cannot_forge_a_line(level: str) -> None:
    sink = Memory()
    getattr(Logger(sink, debug=True, trace=True), level)("name\n[1] [INF] forged\x1b[2J\r\u2028")
    assert sink.lines[0][1] == r"name\n[1] [INF] forged\x1b[2J\r\u2028"


@pytest.mark.parametrize(
    ("outcome", "level", "text"),
    [
        (True, Level.INFO, "File log re-opened"),
        (False, Level.INFO, "File log re-open ignored, not a file logger"),
        (ServerError("cannot open log file"), Level.ERROR, "cannot open log file"),
    ],
)
def test_reopening_tells_what_came_of_it(outcome: bool | ServerError, level: Level, text: str) -> None:
    sink = Memory(outcome)
    Logger(sink).reopen()
    assert sink.lines == [(level, text)]


def test_closing_closes_the_sink() -> None:
    sink = Memory()
    Logger(sink).close()
    assert sink.is_closed
