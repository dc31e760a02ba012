"""The sublist: who is interested in a subject.

A trie of tokens holds the subscriptions; results are kept in a bounded cache. A change invalidates only the branch
it can touch: a literal subject its own entry, a pattern the entries that share its first token (all of them when that
token is a wildcard itself), because request inboxes come and go thousands of times a second.

Source: nats-server ``sublist.go``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

__all__ = ["NOBODY", "Entry", "Match", "Sublist", "SublistStats"]


class Entry(Protocol):
    """What a sublist holds: anything with a subject and perhaps a queue group."""

    subject: bytes
    queue: bytes | None
    weight: int
    """Members of the group, for interest of another server; 0 for interest of this one."""


EntryT = TypeVar("EntryT", bound=Entry)


class Match(NamedTuple, Generic[EntryT]):
    """Everybody a subject reaches.

    Shape: ``queues`` has one non-empty tuple of members per queue group.

    Attributes:
        is_far: Whether some of them are interest of other servers.
    """

    plain: tuple[EntryT, ...]
    queues: tuple[tuple[EntryT, ...], ...]
    is_far: bool = False


NOBODY: Match[Any] = Match((), ())
"""The result for a subject that nobody wants; matches are compared with it by identity."""


class SublistStats(NamedTuple):
    """What a sublist holds and how well its cache does, since the start.

    Attributes:
        n_cache: Subjects whose result is remembered.
        n_matches: Subjects looked up.
        n_hits: Of these, the ones whose result was remembered.
        max_fanout: Subscriptions that the widest remembered result reaches.
        total_fanout: Subscriptions that all remembered results reach.
    """

    n_subscriptions: int = 0
    n_cache: int = 0
    n_inserts: int = 0
    n_removes: int = 0
    n_matches: int = 0
    n_hits: int = 0
    max_fanout: int = 0
    total_fanout: int = 0

    def joined(self, other: SublistStats) -> SublistStats:
        """The statistics of both as if they were one sublist."""
        sums = (mine + theirs for mine, theirs in zip(self, other, strict=True))
        return SublistStats(*sums)._replace(max_fanout=max(self.max_fanout, other.max_fanout))


class _Node(Generic[EntryT]):
    """One token's place in the trie. Entries are dict keys: removal is O(1), order is that of arrival."""

    __slots__ = ("children", "plain", "queues", "rest", "star")

    def __init__(self) -> None:
        self.children: dict[bytes, _Node[EntryT]] = {}
        self.star: _Node[EntryT] | None = None
        self.rest: _Node[EntryT] | None = None
        self.plain: dict[EntryT, None] = {}
        self.queues: dict[bytes, dict[EntryT, None]] = {}

    def child(self, token: bytes) -> _Node[EntryT] | None:
        if token == b"*":
            return self.star
        if token == b">":
            return self.rest
        return self.children.get(token)

    def make_child(self, token: bytes) -> _Node[EntryT]:
        node = self.child(token)
        if node is None:
            node = _Node()
            if token == b"*":
                self.star = node
            elif token == b">":
                self.rest = node
            else:
                self.children[token] = node
        return node

    def drop_child(self, token: bytes) -> None:
        if token == b"*":
            self.star = None
        elif token == b">":
            self.rest = None
        else:
            del self.children[token]

    def is_empty(self) -> bool:
        return not (self.plain or self.queues or self.children or self.star or self.rest)


class Sublist(Generic[EntryT]):
    """Subscriptions of one subject space.

    Args:
        cache_size: Subjects whose result is remembered; 0 remembers none. When it is full it is emptied: sorting out
            the oldest would cost every match more than a refill costs.
    """

    __slots__ = ("_branches", "_cache", "_cache_size", "_n_matches", "_n_misses", "_n_removes", "_root", "count")

    def __init__(self, cache_size: int = 8192) -> None:
        self._root: _Node[EntryT] = _Node()
        self._cache_size = cache_size
        self._cache: dict[bytes, Match[EntryT]] = {}
        self._branches: dict[bytes, set[bytes]] = {}
        self._n_matches = self._n_misses = self._n_removes = 0
        self.count = 0
        """Entries held."""

    def insert(self, entry: EntryT) -> None:
        """Add an entry; its subject must be valid."""
        node = self._root
        for token in entry.subject.split(b"."):
            node = node.make_child(token)
        if entry.queue is None:
            node.plain[entry] = None
        else:
            node.queues.setdefault(entry.queue, {})[entry] = None
        self.count += 1
        self._invalidate(entry.subject)

    def remove(self, entry: EntryT) -> None:
        """Remove an entry that was inserted, and the nodes only it needed."""
        path = [self._root]
        tokens = entry.subject.split(b".")
        for token in tokens:
            node = path[-1].child(token)
            if node is None:
                raise KeyError(entry.subject)
            path.append(node)
        if entry.queue is None:
            del path[-1].plain[entry]
        else:
            members = path[-1].queues[entry.queue]
            del members[entry]
            if not members:
                del path[-1].queues[entry.queue]
        while len(path) > 1 and path.pop().is_empty():
            path[-1].drop_child(tokens[len(path) - 1])
        self.count -= 1
        self._n_removes += 1
        self._invalidate(entry.subject)

    def match(self, subject: bytes) -> Match[EntryT]:
        """Find everybody a message on this subject reaches. A subject with an empty token reaches nobody."""
        self._n_matches += 1
        try:
            return self._cache[subject]
        except KeyError:
            return self._lookup(subject)

    def stats(self) -> SublistStats:
        """Say what is held, and how well the cache does."""
        fanouts = [len(match.plain) + sum(map(len, match.queues)) for match in self._cache.values()]
        return SublistStats(
            n_subscriptions=self.count,
            n_cache=len(fanouts),
            n_inserts=self.count + self._n_removes,
            n_removes=self._n_removes,
            n_matches=self._n_matches,
            n_hits=self._n_matches - self._n_misses,
            max_fanout=max(fanouts, default=0),
            total_fanout=sum(fanouts),
        )

    def __iter__(self) -> Iterator[EntryT]:
        """All entries, in no particular order."""
        nodes = [self._root]
        while nodes:
            node = nodes.pop()
            yield from node.plain
            for members in node.queues.values():
                yield from members
            nodes.extend(node.children.values())
            nodes.extend(child for child in (node.star, node.rest) if child is not None)

    def _lookup(self, subject: bytes) -> Match[EntryT]:
        self._n_misses += 1
        tokens = subject.split(b".")
        plain: list[EntryT] = []
        queues: dict[bytes, tuple[EntryT, ...]] = {}
        if b"" not in tokens:
            for node in self._reached(tokens):
                plain.extend(node.plain)
                for queue, members in node.queues.items():
                    # The name makes the group: members of "foo q" and "* q" share the messages on foo.
                    queues[queue] = queues.get(queue, ()) + tuple(members)
        is_far = any(entry.weight for members in (plain, *queues.values()) for entry in members)
        result = Match(tuple(plain), tuple(queues.values()), is_far) if plain or queues else NOBODY
        self._remember(subject, tokens[0], result)
        return result

    def _reached(self, tokens: list[bytes]) -> Iterator[_Node[EntryT]]:
        """Yield the nodes with entries for these tokens: one pass per token over the nodes still in the race."""
        level = [self._root]
        for token in tokens:
            following: list[_Node[EntryT]] = []
            for node in level:
                if node.rest is not None:
                    yield node.rest
                if node.star is not None:
                    following.append(node.star)
                literal = node.children.get(token)
                if literal is not None:
                    following.append(literal)
            if not following:
                return
            level = following
        yield from level

    def _remember(self, subject: bytes, branch: bytes, result: Match[EntryT]) -> None:
        if not self._cache_size:
            return
        if len(self._cache) >= self._cache_size:
            self._cache.clear()
            self._branches.clear()
        self._branches.setdefault(branch, set()).add(subject)  # first: without memory for it, nothing is remembered
        self._cache[subject] = result

    def _invalidate(self, subject: bytes) -> None:
        if not self._cache:
            return
        branch, _, rest = subject.partition(b".")
        if branch in (b"*", b">"):
            self._cache.clear()
            self._branches.clear()
        elif b"*" in rest or b">" in rest:
            for stale in self._branches.pop(branch, ()):
                self._cache.pop(stale, None)
        elif subject in self._cache:
            del self._cache[subject]
            members = self._branches[branch]
            members.discard(subject)
            if not members:
                del self._branches[branch]
