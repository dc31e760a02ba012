"""A broker as a process: logs, process files and signals around it."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from natsctl.broker.broker import Broker
from natsctl.broker.logs import Logger, open_logger
from natsctl.broker.processfiles import ProcessFiles, write_pid_file
from natsctl.broker.signal_handlers import SignalHandlers
from natsctl.config import Options
from natsctl.errors import NatsctlError, Problem

__all__ = ["serve"]


def serve(options: Options, warnings: Sequence[Problem] = (), read_options: Callable[[], Options] | None = None) -> int:
    """Run a broker until it is told to stop; returns the process's exit code.

    Args:
        options: What it is told.
        warnings: What is doubtful about that.
        read_options: Reads the configuration again for a reload; None without a file.

    Raises:
        ServerError: The log cannot be opened; everything later is logged and ends in exit code 1.
    """
    log = open_logger(options.log)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_serve(options, warnings, read_options, log))
    finally:
        log.close()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


async def _serve(
    options: Options, warnings: Sequence[Problem], read_options: Callable[[], Options] | None, log: Logger
) -> int:
    _raise_file_limit()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: _log_fault(log, context))
    for warning in warnings:
        log.warn(str(warning))
    broker = Broker(options, log=log)
    broker.read_options = read_options
    broker.files = files = ProcessFiles(log)

    def write_process_files() -> None:
        # Only once the port is ours: a second start by mistake must not overwrite the files of the first.
        if options.pid_file:
            write_pid_file(options.pid_file)
        files.move_ports(options.ports_file_dir, broker.listeners())

    signals = SignalHandlers(broker, log)
    try:
        await broker.start(write_process_files)
    except NatsctlError as error:
        for line in str(error).splitlines():
            log.fatal(line)
        await broker.stop()
        return 1
    _spare_the_collector()
    await signals.obey()
    files.remove()
    return 0


def _spare_the_collector() -> None:
    """Let the garbage collector look at everything there is very rarely.

    With ten thousand connections that takes a quarter of a second, in which no message moves; and it finds nothing,
    for what a broker lets go of is in no circle.
    """
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, 1000)


def _raise_file_limit() -> None:
    """Allow as many connections as the system does: the soft limit is often a thousand files."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # macOS refuses "unlimited"
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _log_fault(log: Logger, context: dict[str, Any]) -> None:
    """Log what went wrong outside of any call of ours: no descriptor left for an accept, or a fault of the broker."""
    error = context.get("exception")
    log.error(f"{context['message']}: {error!r}" if error is not None else context["message"])
