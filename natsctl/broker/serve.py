"""A broker as a process: logs, process files and signals around it."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from natsctl.broker.broker import Broker
from natsctl.broker.logs import Logger, open_logger
from natsctl.broker.processfiles import PortsFile, write_pid_file
from natsctl.config import Options
from natsctl.errors import NatsctlError, Problem, ServerError

__all__ = ["serve"]

_ORDERLY = {"SIGINT": "interrupt", "SIGTERM": "terminated"}
_NOT_YET = {"SIGHUP": ("hangup", "reload"), "SIGUSR2": ("user defined signal 2", "lame duck mode")}


def serve(options: Options, warnings: Sequence[Problem] = ()) -> int:
    """Run a broker until it is told to stop; returns the process's exit code.

    Raises:
        ServerError: The log cannot be opened; everything later is logged and ends in exit code 1.
    """
    log = open_logger(options.log)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_serve(options, warnings, log))
    finally:
        log.close()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


async def _serve(options: Options, warnings: Sequence[Problem], log: Logger) -> int:
    _raise_file_limit()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: _log_fault(log, context))
    for warning in warnings:
        log.warn(str(warning))
    broker = Broker(options, log=log)
    stop = asyncio.Event()
    _handle_signals(log, stop)
    ports_files: list[PortsFile] = []

    def write_process_files() -> None:
        # Only once the port is ours: a second start by mistake must not overwrite the files of the first.
        if options.pid_file:
            write_pid_file(options.pid_file)
        if options.ports_file_dir:
            file = PortsFile(options.ports_file_dir, broker.listeners())
            try:
                file.write()
                ports_files.append(file)
            except ServerError as error:  # as nats-server: clients can do without it
                log.error(str(error))

    try:
        await broker.start(write_process_files)
    except NatsctlError as error:
        for line in str(error).splitlines():
            log.fatal(line)
        await broker.stop()
        return 1
    _spare_the_collector()
    await stop.wait()
    await broker.stop()
    for file in ports_files:
        file.remove()
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


def _handle_signals(log: Logger, stop: asyncio.Event) -> None:
    def stop_orderly(name: str) -> None:
        log.info(f'Trapped "{name}" signal')
        stop.set()

    def reopen_log() -> None:
        log.info('Trapped "user defined signal 1" signal')
        log.reopen()

    def refuse(name: str, feature: str) -> None:
        log.info(f'Trapped "{name}" signal')
        log.warn(f"{feature} is not available yet in natsctl server; nothing was changed")

    for signal_name, name in _ORDERLY.items():
        _on_signal(signal_name, stop_orderly, name)
    _on_signal("SIGUSR1", reopen_log)
    for signal_name, (name, feature) in _NOT_YET.items():
        _on_signal(signal_name, refuse, name, feature)


def _on_signal(signal_name: str, handle: Callable[..., None], *args: str) -> None:
    number = getattr(signal, signal_name, None)
    if number is None:  # Windows knows fewer signals
        return
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(number, handle, *args)
    except NotImplementedError:  # the loops of Windows
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(handle, *args))
