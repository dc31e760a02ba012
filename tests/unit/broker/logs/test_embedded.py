import logging

import pytest

from natsctl.broker.logs import TRACE, logging_logger


def test_levels_become_those_of_logging(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging_logger()
    with caplog.at_level(TRACE, logger="natsctl.broker"):
        for say in (logger.fatal, logger.error, logger.warn, logger.info, logger.debug, logger.trace):
            say("100 %s")
    assert caplog.record_tuples == [
        ("natsctl.broker", level, "100 %s")
        for level in (logging.CRITICAL, logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG, 5)
    ]
    assert caplog.records[-1].levelname == "TRACE"


@pytest.mark.parametrize(
    ("level", "enabled"), [(logging.INFO, (False, False)), (logging.DEBUG, (True, False)), (TRACE, (True, True))]
)
def test_logging_decides_what_is_enabled_even_later(
    level: int, enabled: tuple[bool, bool], caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging_logger()
    caplog.set_level(level, logger="natsctl.broker")
    assert (logger.debug_enabled, logger.trace_enabled) == enabled


def test_a_record_cannot_forge_a_line(caplog: pytest.LogCaptureFixture) -> None:
    logging_logger().error("a\nb")
    assert caplog.messages == [r"a\nb"]
