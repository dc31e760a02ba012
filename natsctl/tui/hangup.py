"""A terminal that goes away, as when a connection of ssh breaks: the dashboard must end all the same.

Textual writes to the terminal in a thread, which ends with the first write that fails; what comes after it fills a
queue, and then the event loop waits for ever.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable

__all__ = ["on_hang_up"]

STDERR = 2
"""Where Textual draws."""
PATIENCE_S = 3.0


def on_hang_up(leave: Callable[[], None], *, exit_code: int) -> None:
    """Leave when SIGHUP comes; where the terminal has gone with it, in a few seconds at the latest.

    Args:
        leave: Called on the running event loop, to end in good order.
        exit_code: What to exit with when that takes too long.
    """
    loop = asyncio.get_running_loop()

    def hang_up(*_: object) -> None:
        loop.call_soon_threadsafe(leave)
        if os.isatty(STDERR):  # somebody sent the signal, and the terminal is to be restored
            return
        # SIGCONT comes with it, at which Textual would begin to draw anew.
        signal.signal(signal.SIGCONT, lambda *_: None)
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), STDERR)
        end = threading.Timer(PATIENCE_S, os._exit, [exit_code])
        end.daemon = True
        end.start()

    # Not the loop's own way, as it would come too late: after SIGCONT, or never when the loop waits for the terminal.
    signal.signal(signal.SIGHUP, hang_up)
