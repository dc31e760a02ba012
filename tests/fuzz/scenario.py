"""What happens to one engine, as data: made from a seed, played to any engine, kept in a file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from natsctl.engine.api import Grant
from natsctl.engine.permissions import Permissions, Responses, Rule

__all__ = ["PERMISSIONS", "Move", "Scenario", "dump", "load", "make_grant"]

PERMISSIONS = {
    "deny": Permissions(publish_deny=[b"a.b", b"foo.>"], subscribe_deny=[Rule(b"a"), Rule(b"b.*")]),
    "allow": Permissions(publish_allow=[b"a.*", b"b"], subscribe_allow=[Rule(b"a.>"), Rule(b"*.b"), Rule(b"b")]),
    "queues": Permissions(
        subscribe_allow=[Rule(b"a.*", b"q.*"), Rule(b">", b"q"), Rule(b"b")], subscribe_deny=[Rule(b"*.*", b"q.1")]
    ),
    "one answer": Permissions(publish_allow=[], subscribe_deny=[Rule(b"a.b.a")], responses=Responses(1, 0)),
    "answers for a while": Permissions(publish_deny=[b">"], responses=Responses(0, 5.0)),
    "answers beside": Permissions(publish_allow=[b"a"], subscribe_allow=[Rule(b">")], responses=Responses(2, 2.0)),
}
"""What a grant can name."""


class Move(NamedTuple):
    """One thing that happens.

    Attributes:
        verb: A method of :class:`tests.fuzz.play.Play`.
        who: Which peer, counted round.
        number: What the verb makes of it: bytes, seconds, an index.
        data: What the verb makes of it: what arrived, or words parted by ``|``.
    """

    verb: str
    who: int = 0
    number: int = 0
    data: bytes = b""


@dataclass(frozen=True)
class Scenario:
    """A whole play.

    Attributes:
        seed: What it was made from.
        limits: Fields of :class:`~natsctl.engine.api.Limits`.
        grants: Fields of :class:`~natsctl.engine.api.Grant`; ``permissions`` is a key of :data:`PERMISSIONS`.
        relief: Bytes that are found to have left whenever the engine asks; -1: everything.
        temper: How the handler takes it: ``meek``, ``strict`` (a violation ends the session) or ``wild`` (it closes
            somebody else, too).
    """

    seed: int
    limits: dict[str, Any]
    grants: tuple[dict[str, Any], ...]
    relief: int
    temper: str
    moves: tuple[Move, ...]


def make_grant(fields: dict[str, Any]) -> Grant:
    """Make the grant that a scenario describes."""
    name = fields.get("permissions")
    return Grant(**(fields | {"permissions": PERMISSIONS[name] if name is not None else None}))


def dump(scenario: Scenario) -> str:
    """Write a scenario as JSON: one move a line, its bytes as Latin-1."""
    fields = asdict(scenario) | {"moves": []}
    lines = ",\n".join(json.dumps([*move[:3], move.data.decode("latin-1")]) for move in scenario.moves)
    return json.dumps(fields).removesuffix("[]}") + f"[\n{lines}\n]}}\n"


def load(text: str) -> Scenario:
    """Read what :func:`dump` wrote."""
    fields = json.loads(text)
    moves = tuple(Move(verb, who, number, data.encode("latin-1")) for verb, who, number, data in fields.pop("moves"))
    return Scenario(**fields | {"grants": tuple(fields["grants"]), "moves": moves})
