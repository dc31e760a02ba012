"""``--signal`` and ``natsctl server reload``: tell a running server to stop, reload, reopen its log or go away slowly.

Source: nats-server 2.15, flag ``--signal``.
"""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

from natsctl.config import load_available
from natsctl.errors import ServerError

__all__ = ["reload_server", "send_signal"]

SIGNALS = {
    "stop": signal.SIGKILL,
    "quit": signal.SIGINT,
    "term": signal.SIGTERM,
    "reopen": signal.SIGUSR1,
    "reload": signal.SIGHUP,
    "ldm": signal.SIGUSR2,
}
PROC = Path("/proc")
_PID = re.compile(r"[0-9]{1,10}")
_PID_MAX = 2**31 - 1
_PID_FILE_BYTES = 64
_CONFIG_FLAG = re.compile(r"--?(c|config)(=(.*))?", re.DOTALL)


def send_signal(spec: str) -> None:
    """Send the signal of ``command``, ``command=<pid>``, ``command=<pid file>`` or ``command=<prefix>*``.

    Without a pid there must be exactly one server; with a prefix all servers whose pid begins so are meant, and ``*``
    alone means every server. Servers are processes that run ``natsctl server`` or ``nats-server``.

    Raises:
        ServerError: The command is unknown, no process is meant, or one could not be signalled.
    """
    command, *rest = spec.split("=")
    if len(rest) > 1:
        raise ServerError(f"invalid signal parameters: [{' '.join(rest[1:])}]")
    if command not in SIGNALS:
        raise ServerError(f'unknown signal "{command}"')
    _signal(command, _pids_meant(_maybe_read_pid_file(rest[0]) if rest else ""))


def reload_server(target: str = "") -> list[int]:
    """Have a server read its configuration again; a configuration that cannot be used is not even tried.

    Args:
        target: A process id, a pid file, or the configuration file the server was started with; empty when there is
            but one server.

    Returns:
        The process ids of who was told.

    Raises:
        ConfigError: The configuration file cannot be used.
        ServerError: No process is meant, or one could not be signalled.
    """
    expression = _maybe_read_pid_file(target)
    pids = _pids_meant(expression) if not target or _PID.fullmatch(expression) else _pids_running_with(target)
    _signal("reload", pids)
    return pids


def _signal(command: str, pids: list[int]) -> None:
    failures = []
    for pid in pids:
        try:
            os.kill(pid, SIGNALS[command])
        except OSError as error:
            failures.append(f'signal "{command}" {pid}: {(error.strerror or str(error)).lower()}')
    if failures:
        raise ServerError("\n".join(failures))


def _pids_running_with(config: str) -> list[int]:
    options = load_available(config).options
    pids = [pid for pid in _server_pids() if _has_config(pid, os.path.realpath(config))]
    if pids:
        return pids
    if not options.pid_file:
        raise ServerError(f"no natsctl server runs with {config}")
    return _pids_meant(_maybe_read_pid_file(options.pid_file))


def _has_config(pid: int, path: str) -> bool:
    """Tell whether a server was started with this configuration file, relative to where it runs."""
    argv = _argv(pid)
    for index, arg in enumerate(argv):
        flag = _CONFIG_FLAG.fullmatch(arg)
        if flag is None:
            continue
        given = flag[3] if flag[2] else "".join(argv[index + 1 : index + 2])
        if given and os.path.realpath(PROC / str(pid) / "cwd" / given) == path:
            return True
    return False


def _maybe_read_pid_file(value: str) -> str:
    try:
        with open(value, encoding="ascii", errors="replace") as file:
            return file.read(_PID_FILE_BYTES).strip()
    except (OSError, ValueError):
        return value


def _pids_meant(expression: str) -> list[int]:
    prefix = expression.removesuffix("*")
    is_one_pid = prefix == expression != ""
    if prefix and not (_PID.fullmatch(prefix) and (not is_one_pid or _is_signallable(int(prefix)))):
        raise ServerError(f"invalid pid: {prefix}")
    if is_one_pid:
        return [int(prefix)]
    pids = [pid for pid in _server_pids() if str(pid).startswith(prefix)]
    if not pids:
        raise ServerError("no natsctl server processes running")
    if not expression and len(pids) > 1:
        raise ServerError("\n".join(("multiple natsctl server processes running:", *map(str, pids))))
    return pids


def _server_pids() -> list[int]:
    try:
        entries = sorted(int(entry.name) for entry in PROC.iterdir() if _PID.fullmatch(entry.name))
    except OSError as error:
        raise ServerError("unable to resolve pid, try providing one") from error
    return [pid for pid in entries if _is_signallable(pid) and pid != os.getpid() and _runs_server(_argv(pid))]


def _is_signallable(pid: int) -> bool:
    """Tell whether a pid names one process other than init: 0 and below stand for groups."""
    return 1 < pid <= _PID_MAX


def _argv(pid: int) -> list[str]:
    try:
        return [os.fsdecode(arg) for arg in (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")[:-1]]
    except OSError:  # ended meanwhile, or not ours to look at
        return []


def _runs_server(argv: list[str]) -> bool:
    if not argv:
        return False
    program, *args = argv
    name = os.path.basename(program)
    if name == "nats-server":
        return True
    if name == "natsctl":
        return args[:1] == ["server"]
    return name.startswith("python") and _runs_natsctl_server(args)


def _runs_natsctl_server(args: list[str]) -> bool:
    """Tell whether the interpreter's arguments run ``natsctl server``, as a script or as a module."""
    at = 0
    while at < len(args) and args[at].startswith("-") and args[at] != "-m":
        at += 2 if args[at] in ("-W", "-X") else 1
    if args[at : at + 1] == ["-m"]:
        return args[at + 1 : at + 3] == ["natsctl", "server"]
    return os.path.basename("".join(args[at : at + 1])) == "natsctl" and args[at + 1 : at + 2] == ["server"]
