"""Chooses the sink that the options ask for."""

from __future__ import annotations

from natsctl.broker.logs.file import FileSink
from natsctl.broker.logs.line import LineFormat
from natsctl.broker.logs.logger import Logger
from natsctl.broker.logs.remote_syslog import open_remote_syslog
from natsctl.broker.logs.sink import Sink
from natsctl.broker.logs.stderr import StderrSink
from natsctl.broker.logs.syslog import open_syslog
from natsctl.config.options import LogOptions

__all__ = ["open_logger", "open_sink"]


def open_logger(options: LogOptions) -> Logger:
    """Open the log: a file before remote syslog, that before the local daemon, that before standard error.

    Raises:
        ServerError: The file, the daemon or the remote host cannot be opened.
    """
    return Logger(open_sink(options), debug=options.debug, trace=options.trace)


def open_sink(options: LogOptions) -> Sink:
    """Open the place alone.

    Raises:
        ServerError: It cannot be opened.
    """
    if options.log_file:
        return FileSink(
            options.log_file,
            LineFormat(logtime=options.logtime, utc=options.logtime_utc),
            size_limit=options.logfile_size_limit,
            max_num=options.logfile_max_num,
        )
    if options.remote_syslog:
        return open_remote_syslog(options.remote_syslog)
    if options.syslog:
        return open_syslog()
    return StderrSink(logtime=options.logtime, utc=options.logtime_utc)
