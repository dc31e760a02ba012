"""The broker's log: levelled lines to standard error, a rotated file, syslog, or Python's ``logging``.

Source: nats-server 2.15, whose lines, file names and syslog records these are.
"""

from __future__ import annotations

from natsctl.broker.logs.embedded import TRACE, logging_logger
from natsctl.broker.logs.line import Level
from natsctl.broker.logs.logger import Logger
from natsctl.broker.logs.opening import open_logger, open_sink

__all__ = ["TRACE", "Level", "Logger", "logging_logger", "open_logger", "open_sink"]
