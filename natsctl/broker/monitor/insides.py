"""``/stacksz`` and ``/debug/vars``: what the process is doing, for those who search a fault.

Source: nats-server ``monitor.go`` (HandleStacksz); Go ``expvar``.
"""

from __future__ import annotations

import asyncio
import gc
import platform
import sys
import threading
import traceback
from itertools import islice
from types import FrameType
from typing import Any

from natsctl.broker.monitor.source import Source

__all__ = ["stacks", "variables"]

_MAX_TASKS = 256
_MAX_FRAMES = 32


def stacks() -> str:
    """Write where every thread stands, and every task of the loop; without source lines, which may hold anything."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    blocks = [
        _block(f"thread {names.get(ident, '?')}", [each for each, _ in traceback.walk_stack(frame)])
        for ident, frame in sys._current_frames().items()
    ]
    waiting = asyncio.all_tasks() - {asyncio.current_task()}
    blocks += [_block(f"task {task.get_name()}", task.get_stack()) for task in islice(waiting, _MAX_TASKS)]
    return "\n".join(blocks)


def _block(title: str, frames: list[FrameType]) -> str:
    lines = [f"\t{_place(frame)}\n" for frame in frames[:_MAX_FRAMES]]
    return "".join((f"{title}:\n", *lines))


def _place(frame: FrameType) -> str:
    code = frame.f_code
    return f"{code.co_qualname} ({code.co_filename}:{frame.f_lineno})"


def variables(source: Source) -> dict[str, Any]:
    """Say how the interpreter does. The arguments of the process stay out: they may hold a password."""
    return {
        "cmdline": sys.argv[:1],
        "python": platform.python_version(),
        "threads": threading.active_count(),
        "memory": source.process.memory_bytes,
        "gc": gc.get_stats(),
    }
