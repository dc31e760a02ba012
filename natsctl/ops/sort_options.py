"""What a server can sort connections by, and what to say about anything else."""

from __future__ import annotations

import difflib

from natsctl.errors import UsageError
from natsctl.monitoring.diagnosis import printable

__all__ = ["SORT_OPTIONS", "check_sort"]

SORT_OPTIONS = {
    "cid": "the number of the connection, oldest first",
    "start": "the time it began, oldest first",
    "subs": "subscriptions, most first",
    "pending": "bytes that wait for the client, most first",
    "msgs_to": "messages sent to the client, most first",
    "msgs_from": "messages received from it, most first",
    "bytes_to": "bytes sent to the client, most first",
    "bytes_from": "bytes received from it, most first",
    "last": "the last activity, latest first",
    "idle": "the time without activity, longest first",
    "uptime": "the time since it began, shortest first",
    "rtt": "the round trip time, longest first",
}
"""What a server can sort open connections by.

Source: nats-server 2.15 ``SortOpt``.
"""

_OF_CLOSED = ("stop", "reason")


def check_sort(key: str, *, closed: bool = False) -> str:
    """Return a sort option that the server knows.

    Args:
        key: What was given.
        closed: Whether it is for closed connections, which can be sorted by two things more.

    Raises:
        UsageError: It is none; the hint names those that are near.
    """
    options = [*SORT_OPTIONS, *(_OF_CLOSED if closed else ())]
    if key in options:
        return key
    if key in _OF_CLOSED:
        raise UsageError(f"sort by {key} is for closed connections", hint="read them with natsctl connz --state closed")
    near = difflib.get_close_matches(key, options, n=3, cutoff=0.4) or options
    raise UsageError(f"invalid option to sort by: {printable(key, 40)}", hint=f"sort by {', '.join(near)}")
