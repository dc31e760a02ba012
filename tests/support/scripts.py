"""Made-up sessions: what clients could say, well and badly, from a seed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

__all__ = ["Script", "Step", "make_script", "mutate", "operation"]

_TOKENS = ("foo", "bar", "baz", "a", "x-1", "é")
_PATTERN_TOKENS = (*_TOKENS, "*", "*")
_ODD_SUBJECTS = ("foo..bar", ".foo", "foo.", "foo.>.bar", ">.", "foo*", "*", ">", "$SYS.a", "_R_.a", "$JS.ACK.x", "a.>")
_INTERESTING = (
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b"0",
    b"-1",
    b"9999999999",
    b"\x00",
    b"\xff",
    b"{",
    b"PING",
    b".",
    b">",
)


@dataclass(frozen=True)
class Step:
    """Bytes that one client sends in one piece."""

    client: int
    data: bytes


@dataclass(frozen=True)
class Script:
    """Several clients' bytes in one order.

    Attributes:
        credentials: Of each client, in the order in which they connect.
    """

    seed: int
    credentials: tuple[dict[str, Any], ...]
    steps: tuple[Step, ...]


class _Writer:
    """Writes operations; numbers messages, so that each can be told from the others."""

    def __init__(self, random: Random, subjects: Sequence[str]) -> None:
        self.random = random
        self._subjects = subjects
        self._n = 0

    def subject(self, tokens: Sequence[str] = _TOKENS) -> str:
        if self.random.random() < 0.5:
            return self.random.choice(self._subjects)
        if self.random.random() < 0.1:
            return self.random.choice(_ODD_SUBJECTS)
        return ".".join(self.random.choice(tokens) for _ in range(self.random.randint(1, 3)))

    def blank(self) -> str:
        return self.random.choices((" ", "  ", "\t", " \t "), (20, 1, 1, 1))[0]

    def line(self, *parts: str) -> bytes:
        verb = parts[0] if self.random.random() < 0.8 else parts[0].lower()
        end = self.random.choices(("\r\n", "\n", " \r\n"), (20, 1, 1))[0]
        return (self.blank().join((verb, *parts[1:])) + end).encode()

    def reply(self) -> list[str]:
        return [self.subject()] if self.random.random() < 0.3 else []

    def pub(self) -> bytes:
        self._n += 1
        payload = f"{self._n}:{'p' * self.random.choice((0, 0, 3, 30))}".encode()
        size = str(len(payload)).zfill(self.random.choice((0, 0, 0, 4)))
        return self.line("PUB", self.subject(), *self.reply(), size) + payload + b"\r\n"

    def hpub(self) -> bytes:
        self._n += 1
        header = self.random.choice((b"NATS/1.0\r\n\r\n", b"NATS/1.0\r\nA: b\r\n\r\n", b"", b"none"))
        body = header + b"%d" % self._n
        return self.line("HPUB", self.subject(), *self.reply(), str(len(header)), str(len(body))) + body + b"\r\n"

    def sub(self) -> bytes:
        # One member per queue group: who of several gets a message is chance.
        self._n += 1
        queue = [f"q{self._n}"] if self.random.random() < 0.25 else []
        return self.line("SUB", self.subject(_PATTERN_TOKENS), *queue, str(self.random.randint(1, 6)))

    def unsub(self) -> bytes:
        max_msgs = self.random.choice(([], [], ["1"], ["2"], ["5"], ["0"], ["x"]))
        return self.line("UNSUB", str(self.random.randint(1, 6)), *max_msgs)

    def other(self) -> bytes:
        return self.random.choice(
            (b"PING\r\n", b"PING x\r\n", b"PONG\r\n", b"+OK\r\n", b"INFO {}\r\n", b"pInG\n", self.connect({}))
        )

    def connect(self, credentials: dict[str, Any]) -> bytes:
        chances = {"verbose": 0.3, "pedantic": 0.3, "echo": 0.8, "headers": 0.8, "no_responders": 0.3}
        document: dict[str, Any] = {key: self.random.random() < chance for key, chance in chances.items()}
        if self.random.random() < 0.1:
            del document[self.random.choice(tuple(chances))]
        document["protocol"] = self.random.choices((0, 1, 2), (10, 10, 1))[0]
        return b"CONNECT " + json.dumps(document | credentials).encode() + b"\r\n"

    def operation(self) -> bytes:
        kinds = (self.pub, self.hpub, self.sub, self.unsub, self.other)
        return self.random.choices(kinds, (8, 4, 8, 3, 2))[0]()


def operation(random: Random) -> bytes:
    """Write one operation of a client, mostly a good one."""
    return _Writer(random, _TOKENS).operation()


def mutate(random: Random, data: bytes) -> bytes:
    """Spoil bytes at one place."""
    at = random.randrange(len(data) + 1)
    how = random.randrange(5)
    if how == 0:
        return data[:at] + random.choice(_INTERESTING) + data[at:]
    if how == 1:
        return data[:at] + data[at + random.randint(1, 3) :]
    if how == 2:
        return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]
    if how == 3:
        return data[:at]
    return data[:at] + data[: random.randint(1, 20)] + data[at:]


def make_script(seed: int, logins: Sequence[dict[str, Any]], subjects: Sequence[str] = _TOKENS) -> Script:
    """Make a script for up to three clients.

    Args:
        seed: The same seed makes the same script.
        logins: Credentials to choose from; they go into each client's CONNECT.
        subjects: What to prefer.
    """
    random = Random(seed)
    writer = _Writer(random, subjects)
    n_clients = random.randint(1, 3)
    credentials = tuple(random.choice(logins) for _ in range(n_clients))
    steps = [Step(n, writer.connect(credentials[n])) for n in range(n_clients) if random.random() < 0.95]
    mutation = random.choice((0.0, 0.05, 0.3))
    for _ in range(random.randint(3, 15)):
        data = b"".join(writer.operation() for _ in range(random.randint(1, 4)))
        if random.random() < mutation:
            data = mutate(random, data)
        steps.append(Step(random.randrange(n_clients), data))
    return Script(seed, credentials, tuple(steps))
