"""The dashboard of ``natsctl top``: shows the snapshots of a source, and does no I/O of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from natsctl.ops.watch import Source, Watch

__all__ = ["run"]


def run(watch: Watch, source: Source) -> int:
    """Show a source on the terminal until the user leaves, and close the source.

    Returns:
        The exit code: 0, or 128 and the number of the signal that ended it.

    Raises:
        NatsctlError: The source failed altogether, or the user left before any server could be read; trouble with one
            server is shown, and ends nothing.
    """
    from natsctl.tui.app import show

    return asyncio.run(show(watch, source))
