"""Subscriptions, with who holds them and how fast they receive; and who would receive a message."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from natsctl.monitoring.diagnosis import printable
from natsctl.monitoring.documents import Connz, SubDetail
from natsctl.monitoring.snapshot import Snapshot
from natsctl.protocol import subject as subjects
from natsctl.tui.views.client import INTERNAL, names_by_cid, plural
from natsctl.tui.views.server import server_names

__all__ = ["QueueGroup", "Receivers", "Subscription", "queue_groups", "receivers", "subject_problem", "subscriptions"]


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription, safe to print; ``url`` and ``server`` are those of the server it was found at.

    Units: ``msgs`` were delivered since it began, ``msgs_per_s`` now (None until measured); it ends after ``max``
        deliveries, 0 for never.
    """

    url: str
    server: str
    cid: int
    client: str
    subject: str
    queue: str
    sid: str
    account: str
    msgs: int
    msgs_per_s: float | None
    max: int

    @property
    def key(self) -> tuple[str, int, str]:
        """Names a subscription."""
        return self.url, self.cid, self.sid

    @property
    def haystack(self) -> str:
        """Where a search looks, in lower case."""
        texts = (self.subject, self.queue, self.client, self.account, self.server, str(self.cid))
        return "\n".join(texts).lower()


@dataclass(frozen=True, slots=True)
class QueueGroup:
    """The members of a queue group that are subscribed to the same subject.

    A group of the same name under another subject shares no messages with it.
    """

    account: str
    subject: str
    queue: str
    members: tuple[Subscription, ...]

    @property
    def msgs(self) -> int:
        """Deliveries to all members."""
        return sum(member.msgs for member in self.members)


@dataclass(frozen=True, slots=True)
class Receivers:
    """Who would receive a message on a subject.

    Attributes:
        subject: The subject asked for.
        verdict: The answer in one sentence.
        plain: Subscriptions that each receive it.
        groups: Queue groups, of which one member each receives it.
        is_answer: Whether the servers have said so; else ``verdict`` tells what it is waiting for, or what is wrong.
    """

    subject: str
    verdict: str
    plain: tuple[Subscription, ...] = ()
    groups: tuple[QueueGroup, ...] = ()
    is_answer: bool = False


def subscriptions(*snapshots: Snapshot) -> list[Subscription]:
    """All subscriptions of the connections that were asked for in detail."""
    return _described(snapshots, lambda snapshot: _of_connections(snapshot.connz))


def _of_connections(connz: Connz | None) -> list[SubDetail]:
    return [sub for conn in connz.connections for sub in conn.subscriptions_list_detail] if connz else []


def _described(snapshots: Sequence[Snapshot], listed: Callable[[Snapshot], Iterable[SubDetail]]) -> list[Subscription]:
    """The subscriptions listed in snapshots, with the names and the rates that belong to them."""
    servers = server_names(snapshots)
    found = []
    for snapshot in snapshots:
        clients = names_by_cid(snapshot.connz)
        found += [_with_names(snapshot, sub, servers[snapshot.server], clients) for sub in listed(snapshot)]
    return found


def _with_names(snapshot: Snapshot, sub: SubDetail, server: str, clients: dict[int, str]) -> Subscription:
    return Subscription(
        url=snapshot.server,
        server=server,
        cid=sub.cid,
        client=clients.get(sub.cid, INTERNAL),
        subject=printable(sub.subject),
        queue=printable(sub.qgroup),
        sid=printable(sub.sid),
        account=printable(sub.account),
        msgs=sub.msgs,
        msgs_per_s=snapshot.subscription_rates.get((sub.cid, sub.sid)),
        max=sub.max,
    )


def queue_groups(subs: Iterable[Subscription]) -> list[QueueGroup]:
    """The queue groups among subscriptions, ordered by subject and name; members with the most messages first."""
    members: dict[tuple[str, str, str], list[Subscription]] = defaultdict(list)
    for sub in subs:
        if sub.queue:
            members[sub.subject, sub.queue, sub.account].append(sub)
    return [
        QueueGroup(account, subject, queue, tuple(sorted(group, key=lambda sub: (-sub.msgs, sub.server, sub.cid))))
        for (subject, queue, account), group in sorted(members.items())
    ]


def subject_problem(subject: str) -> str:
    """Why no message can be published to a subject, or "" when one can."""
    if not subject:
        return "no subject"
    if any(char.isspace() or not char.isprintable() for char in subject):
        return "a subject has no blanks or control characters"
    wire = subject.encode("utf-8", "surrogatepass")
    if subjects.is_valid_literal(wire):
        return ""
    if subjects.has_wildcard(wire):
        return "a message goes to one subject, without the wildcards * and >"
    return "a subject is tokens with single dots between them"


def receivers(subject: str, answers: Sequence[Snapshot], *, n_silent: int = 0) -> Receivers:
    """Who would receive a message on a subject, by what the servers answered to ``/subsz?test=``.

    Args:
        subject: What the servers were asked.
        answers: Snapshots with the answers to this question, one of each server that gave one.
        n_silent: How many servers have not answered.
    """
    if problem := subject_problem(subject):
        return Receivers(subject, f'"{printable(subject)}" is no subject for a message: {problem}')
    if not answers:
        return Receivers(subject, f'asking who receives "{subject}" …')
    # A server of the 1.x series passes over the question and lists everything, or nothing.
    listed = _described(answers, lambda snapshot: snapshot.subsz.subscriptions_list if snapshot.subsz else ())
    subs = [sub for sub in listed if subjects.covers(sub.subject.encode(), subject.encode())]
    plain = tuple(sorted((sub for sub in subs if not sub.queue), key=lambda sub: (sub.server, sub.cid, sub.sid)))
    groups = tuple(queue_groups(subs))
    verdict = _verdict(subject, plain, groups, answers)
    if n_silent:
        verdict += f"; no answer from {plural(n_silent, 'server')}"
    return Receivers(subject, verdict, plain, groups, is_answer=True)


def _verdict(
    subject: str, plain: tuple[Subscription, ...], groups: tuple[QueueGroup, ...], snapshots: Sequence[Snapshot]
) -> str:
    missing = sum(
        max(0, snapshot.subsz.total - len(snapshot.subsz.subscriptions_list))
        for snapshot in snapshots
        if snapshot.subsz
    )
    parts = [plural(len(plain), "subscription")] if plain else []
    parts += [f"one member each of {plural(len(groups), 'queue group')}"] if groups else []
    answer = f'"{subject}" reaches {" and ".join(parts)}' if parts else f'nobody is listening to "{subject}"'
    if missing:
        answer += f", and {missing} more that are not listed"
    others = _servers_beyond(snapshots)
    return f"{answer}; {plural(others, 'linked server')} may have more" if others else answer


def _servers_beyond(snapshots: Sequence[Snapshot]) -> int:
    """How many servers are linked to these, and were not asked."""
    told = [snapshot.varz for snapshot in snapshots if snapshot.varz]
    routed = [
        varz.remotes - sum(other is not varz and other.cluster.name == varz.cluster.name for other in told)
        for varz in told
    ]
    return max([0, *routed]) + sum(varz.leafnodes for varz in told)
