"""What a session may publish and subscribe to, compiled once per user and remembered per subject.

Source: nats-server ``client.go`` (canSubscribe, pubAllowedFullCheck, loadMsgDenyFilter).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from natsctl.engine.sublist import Match, Sublist
from natsctl.protocol.subject import covers, has_wildcard

__all__ = ["Permissions", "Responses", "Rule"]

_MAX_REMEMBERED = 4096
"""Subjects remembered per user; a bound because a publisher may use as many as it likes."""


class Responses(NamedTuple):
    """The right to answer: ``max_msgs`` messages per reply subject (0: no limit) within ``expires_s`` (0: no limit)."""

    max_msgs: int
    expires_s: float


class Rule(NamedTuple):
    """One line of a permission list: a subject pattern, and for subscriptions perhaps a queue group pattern."""

    subject: bytes
    queue: bytes | None = None


class _RuleEntry:
    """A rule as an entry of a sublist (entries are told apart by identity)."""

    __slots__ = ("queue", "subject", "weight")

    def __init__(self, rule: Rule) -> None:
        self.weight = 0
        self.subject = rule.subject
        self.queue = rule.queue


def _sublist(rules: Iterable[Rule]) -> Sublist[_RuleEntry]:
    made: Sublist[_RuleEntry] = Sublist(cache_size=0)
    for rule in rules:
        made.insert(_RuleEntry(rule))
    return made


class Permissions:
    """The rules of one user, shared by all its sessions.

    Args:
        publish_allow: None allows every subject; empty allows none.
        publish_deny: Wins over ``publish_allow``.
        subscribe_allow: None allows every subject.
        subscribe_deny: Wins over ``subscribe_allow``.
        responses: The right to answer requests beyond ``publish_allow``, or None.
    """

    __slots__ = (
        "_publish_allow",
        "_publish_deny",
        "_remembered_deliveries",
        "_remembered_publishes",
        "_subscribe_allow",
        "_subscribe_allow_rules",
        "_subscribe_deny",
        "_subscribe_deny_rules",
        "responses",
    )

    def __init__(
        self,
        *,
        publish_allow: Iterable[bytes] | None = None,
        publish_deny: Iterable[bytes] = (),
        subscribe_allow: Iterable[Rule] | None = None,
        subscribe_deny: Iterable[Rule] = (),
        responses: Responses | None = None,
    ) -> None:
        self._publish_allow = None if publish_allow is None else _sublist(map(Rule, publish_allow))
        self._publish_deny = _sublist(map(Rule, publish_deny))
        self._subscribe_allow_rules = None if subscribe_allow is None else tuple(subscribe_allow)
        self._subscribe_allow = None if self._subscribe_allow_rules is None else _sublist(self._subscribe_allow_rules)
        self._subscribe_deny_rules = tuple(subscribe_deny)
        self._subscribe_deny = _sublist(self._subscribe_deny_rules)
        self._remembered_publishes: dict[bytes, bool] = {}
        self._remembered_deliveries: dict[bytes, bool] = {}
        self.responses = responses

    def may_publish(self, subject: bytes) -> bool:
        """Whether the lists allow a message to this subject (the right to answer is the session's to judge)."""
        known = self._remembered_publishes.get(subject)
        if known is not None:
            return known
        allowed = self._publish_allow is None or _reaches(self._publish_allow.match(subject))
        allowed = allowed and not _reaches(self._publish_deny.match(subject))
        return _remember(self._remembered_publishes, subject, allowed)

    def may_subscribe(self, subject: bytes, queue: bytes | None) -> bool:
        """Whether a subscription is allowed.

        As in nats-server the last token ``>`` of a pattern counts as one token here, so ``foo.*`` admits ``foo.>``,
        and a pattern that merely overlaps a denied one is admitted; :meth:`needs_filter` tells when deliveries must
        be checked.
        """
        if self._subscribe_allow is not None:
            allowed = self._subscribe_allow.match(subject)
            named = queue is not None and allowed.queues
            if not (_names_queue(allowed, queue) if named else allowed.plain):
                return False
        denied = self._subscribe_deny.match(subject)
        if queue is not None and denied.queues:
            return not _names_queue(denied, queue)
        return not denied.plain

    def needs_filter(self, subject: bytes) -> bool:
        """Whether an admitted pattern takes in subjects that must not be delivered."""
        if not has_wildcard(subject):
            return False
        if any(covers(subject, rule.subject) for rule in self._subscribe_deny_rules):
            return True
        allowed = self._subscribe_allow_rules
        return allowed is not None and not any(covers(rule.subject, subject) for rule in allowed)

    def may_deliver(self, subject: bytes) -> bool:
        """Whether a message on this subject may reach a session with a pattern that needs the filter."""
        known = self._remembered_deliveries.get(subject)
        if known is not None:
            return known
        allowed = self._subscribe_allow is None or _reaches(self._subscribe_allow.match(subject))
        allowed = allowed and not _reaches(self._subscribe_deny.match(subject))
        return _remember(self._remembered_deliveries, subject, allowed)


def _reaches(match: Match[_RuleEntry]) -> bool:
    return bool(match.plain or match.queues)


def _names_queue(match: Match[_RuleEntry], queue: bytes | None) -> bool:
    for members in match.queues:
        for entry in members:
            if queue is not None and entry.queue is not None and (entry.queue == queue or covers(entry.queue, queue)):
                return True
    return False


def _remember(remembered: dict[bytes, bool], subject: bytes, allowed: bool) -> bool:
    if len(remembered) >= _MAX_REMEMBERED:
        remembered.clear()
    remembered[subject] = allowed
    return allowed
