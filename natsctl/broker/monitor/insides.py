"""``/stacksz`` and ``/debug/vars``: what the process is doing, for those who search a fault.

Source: nats-server ``monitor.go`` (HandleStacksz); Go ``expvar``.
"""

from __future__ import annotations

import asyncio
import gc
import io
import platform
import sys
import threading
import traceback
from typing import Any

from natsctl.broker.monitor.source import Source

__all__ = ["stacks", "variables"]

_MAX_TASKS = 256
_MAX_FRAMES = 32


def stacks() -> str:
    """Write where every thread stands, and every task of the loop."""
    out = io.StringIO()
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():
        print(f"thread {names.get(ident, '?')} [{ident}]:", file=out)
        out.writelines(traceback.format_stack(frame, _MAX_FRAMES))
        print(file=out)
    waiting = asyncio.all_tasks() - {asyncio.current_task()}
    for task in list(waiting)[:_MAX_TASKS]:
        print(f"task {task.get_name()}:", file=out)
        for frame in task.get_stack(limit=_MAX_FRAMES):
            out.writelines(traceback.format_stack(frame, 1))
        print(file=out)
    return out.getvalue()


def variables(source: Source) -> dict[str, Any]:
    """Say how the interpreter does. The arguments of the process stay out: they may hold a password."""
    return {
        "cmdline": sys.argv[:1],
        "python": platform.python_version(),
        "threads": threading.active_count(),
        "memory": source.process.memory_bytes,
        "gc": gc.get_stats(),
    }
