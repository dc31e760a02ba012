"""What is said of a server in one line: its name, its state, and what an operator should notice."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from natsctl.monitoring.diagnosis import printable
from natsctl.monitoring.documents import Varz
from natsctl.monitoring.snapshot import Snapshot
from natsctl.tui.formats import span

__all__ = ["Notice", "grows", "identity", "notices", "server_name", "server_names"]

RESTART_SHOWN_S = 60.0


@dataclass(frozen=True, slots=True)
class Notice:
    """Something an operator should know at once.

    Attributes:
        look: ``error``, ``warning`` or ``accent``.
        text: What it is.
        hint: What to do, or "".
    """

    look: str
    text: str
    hint: str = ""


def server_name(snapshot: Snapshot | None, url: str) -> str:
    """What a server is called: its name, or the address of its monitoring where it has none."""
    varz = snapshot.varz if snapshot else None
    if varz and varz.server_name and varz.server_name != varz.server_id:
        return printable(varz.server_name)
    return _place(url)


def server_names(snapshots: Iterable[Snapshot]) -> dict[str, str]:
    """What servers are called side by side, by their base URL: those with the same name by their addresses."""
    names = {snapshot.server: server_name(snapshot, snapshot.server) for snapshot in snapshots}
    n_called = Counter(names.values())
    return {url: name if n_called[name] == 1 else _place(url) for url, name in names.items()}


def _place(url: str) -> str:
    """A base URL without its scheme: host and port, and a path where there is one."""
    return url.partition("://")[2]


def identity(varz: Varz) -> str:
    """Which program a server is, and of which version."""
    if varz.natsctl:
        return printable(f"natsctl {varz.natsctl.version} ({varz.natsctl.engine})")
    return printable(f"nats-server {varz.version}")


def notices(snapshot: Snapshot) -> list[Notice]:
    """What should be noticed of a server: trouble with reading it, a restart, consumers cut off."""
    found = []
    if snapshot.error:
        age = f"; data is {span(snapshot.age_s)} old" if snapshot.varz and snapshot.is_stale else ""
        found.append(Notice("error", f"{snapshot.error}{age}", snapshot.hint))
    since_s = snapshot.restarted_s_ago
    if since_s is not None and since_s < RESTART_SHOWN_S:
        found.append(Notice("warning", f"restarted {span(since_s)} ago"))
    return found


def grows(values: Iterable[float]) -> bool:
    """Whether a counter rose within these values, which may have gaps."""
    known = [value for value in values if not math.isnan(value)]
    return any(after > before for before, after in pairwise(known))
