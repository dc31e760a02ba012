"""Templates in what is published: ``{{Count}}``, ``{{.Unix}}``, ``{{Random 5 10}}``.

Source: the template functions of the ``nats`` CLI's ``pub`` and ``request``.
"""

from __future__ import annotations

import random
import re
import string
import time
from datetime import datetime

from nats.nuid import NUID

from natsctl.errors import UsageError

__all__ = ["Template"]

_PLACE = re.compile(r"\{\{\s*\.?(.*?)\s*\}\}")
_RANDOM = re.compile(r"Random\s+(\d+)\s+(\d+)")
_MAX_RANDOM = 1024 * 1024
_nuid = NUID()


class Template:
    """A text with places that are filled anew for every message.

    Raises:
        UsageError: A place has a name that is none.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.render(0)

    def render(self, count: int) -> str:
        """Fill the places of message number ``count``."""
        return _PLACE.sub(lambda place: _fill(place[1], count), self._text)


def _fill(name: str, count: int) -> str:
    now = datetime.now().astimezone()
    match name:
        case "Count" | "Cnt":
            return str(count)
        case "TimeStamp":
            return now.isoformat(timespec="seconds")
        case "Unix":
            return str(int(now.timestamp()))
        case "UnixNano":
            return str(time.time_ns())
        case "Time":
            return f"{now.hour % 12 or 12}:{now:%M}{'AM' if now.hour < 12 else 'PM'}"
        case "ID":
            return _nuid.next().decode()
    if bounds := _RANDOM.fullmatch(name):
        low, high = int(bounds[1]), int(bounds[2])
        if low <= high <= _MAX_RANDOM:
            return "".join(random.choices(string.ascii_letters + string.digits, k=random.randint(low, high)))
    known = "Count, Cnt, TimeStamp, Unix, UnixNano, Time, ID and Random MIN MAX"
    raise UsageError(
        f'unknown template "{{{{{name}}}}}"', hint=f"there are {known}; without --templates it is sent as is"
    )
