"""How a cluster is, put together from what each of its servers tells of itself and of its routes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

__all__ = ["ClusterStatus", "LostRoute", "Member", "MissingRoute"]

_APART_S = 1.0
"""Clocks farther apart than this are worth a word: logs stop making sense, and certificates begin too late."""


@dataclass(frozen=True, slots=True)
class Member:
    """A server of the cluster.

    Units: seconds.

    Attributes:
        url: Base URL of its monitoring, or where that was looked for.
        server_id: Empty when it never answered.
        name: Its name.
        error: Why it could not be read, or "". What follows is unknown then.
        is_expected: Whether somebody said that its monitoring is at the URL, or it was; else it was looked for.
        cluster: Name of the cluster it is in.
        version: Of nats-server, or of the one whose protocol natsctl speaks.
        uptime_s: None when it makes no sense.
        skew_s: How far its clock is ahead of the one here; None when it makes no sense.
        precision_s: Half of the round trip; the skew may be off by that much.
        linked: Ids of the servers it has routes to.
    """

    url: str
    server_id: str = ""
    name: str = ""
    error: str = ""
    is_expected: bool = True
    cluster: str = ""
    version: str = ""
    uptime_s: float | None = None
    connections: int = 0
    slow_consumers: int = 0
    skew_s: float | None = None
    precision_s: float = 0.0
    linked: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """What people call it."""
        return self.name or self.server_id or self.url


@dataclass(frozen=True, slots=True)
class MissingRoute:
    """Two servers without a route between them, as far as they know."""

    first: str
    second: str
    claimed_by: str = ""
    """Who has it all the same, while the other does not."""

    def __str__(self) -> str:
        if not self.claimed_by:
            return f"no route between {self.first} and {self.second}"
        other = self.second if self.claimed_by == self.first else self.first
        return f"{self.claimed_by} has a route to {other}, which has none to it"


@dataclass(frozen=True, slots=True)
class LostRoute:
    """A configured route at whose other end no known server listens."""

    address: str
    wanted_by: tuple[str, ...]

    def __str__(self) -> str:
        return f"no server at {self.address}, a configured route of {', '.join(self.wanted_by)}"


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """A cluster at one time.

    Attributes:
        members: Its servers, by name.
        lost: Configured routes that lead nowhere.
    """

    members: tuple[Member, ...]
    lost: tuple[LostRoute, ...] = ()

    @property
    def n_servers(self) -> int:
        """How many servers are there: those that answer, and those the others have routes to."""
        return len({member.server_id for member in self.members if not member.error or self._is_linked(member)})

    @property
    def silent(self) -> list[str]:
        """Servers that do not answer where they should, in sentences."""
        return [f"{m.label} does not answer: {m.error}" for m in self.members if m.error and m.is_expected]

    @property
    def unseen(self) -> list[Member]:
        """Servers the others have routes to, and whose monitoring was not found."""
        return [member for member in self.members if member.error and not member.is_expected]

    @property
    def differences(self) -> list[str]:
        """What servers of one cluster should not differ in, or not share, in sentences."""
        answering = [member for member in self.members if not member.error]
        names = [member.name for member in answering]
        doubled = sorted({name for name in names if names.count(name) > 1})
        found = [f'{names.count(name)} servers are named "{name}"' for name in doubled]
        clusters = sorted({member.cluster for member in answering})
        if len(clusters) > 1:
            found.append(f"clusters of different names: {', '.join(name or 'none' for name in clusters)}")
        return found

    @property
    def missing(self) -> list[MissingRoute]:
        """Pairs of servers without a route; of a server that is gone nothing more is to be said."""
        there = [member for member in self.members if not member.error or self._is_linked(member)]
        return [route for pair in combinations(there, 2) if (route := _missing(*pair))]

    @property
    def clock_spread_s(self) -> float:
        """How far the clocks are apart at least, after all doubt about them."""
        return max((spread for spread, _, _ in self._spreads()), default=0.0)

    @property
    def problems(self) -> list[str]:
        """What is wrong, in sentences."""
        found = [*self.silent, *map(str, self.lost), *map(str, self.missing), *self.differences]
        spread, ahead, behind = max(self._spreads(), default=(0.0, "", ""))
        if spread > _APART_S:
            found.append(f"the clock of {ahead} is {spread:.1f} s ahead of that of {behind}")
        return found

    def _is_linked(self, member: Member) -> bool:
        return any(member.server_id in other.linked for other in self.members)

    def _spreads(self) -> Iterator[tuple[float, str, str]]:
        """For each two clocks, how far they are apart at least, which is ahead, and which behind."""
        clocks = [
            (member.skew_s, member.precision_s, member.label) for member in self.members if member.skew_s is not None
        ]
        for (skew, doubt, label), (other_skew, other_doubt, other) in combinations(clocks, 2):
            spread = max(0.0, abs(skew - other_skew) - doubt - other_doubt)
            yield (spread, label, other) if skew > other_skew else (spread, other, label)


def _missing(first: Member, second: Member) -> MissingRoute | None:
    """What two servers say of a route between them; one that cannot be read says nothing."""
    said = [
        other.server_id in member.linked for member, other in ((first, second), (second, first)) if not member.error
    ]
    if not said or all(said):
        return None
    if any(said):
        return MissingRoute(first.label, second.label, claimed_by=first.label if said[0] else second.label)
    return MissingRoute(first.label, second.label)
