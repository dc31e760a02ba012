"""Scenarios from seeds: many sessions that talk well, badly and in pieces, while the broker does what brokers do."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

from tests.fuzz.scenario import PERMISSIONS, Move, Scenario
from tests.support.scripts import mutate, operation

__all__ = ["write_scenario"]

_TOKENS = (b"a", b"b", b"foo", "é".encode())
_PATTERN_TOKENS = (b"a", b"a", b"a", b"b", b"b", b"foo", b"*", b"*", b"*")
_SUBJECTS = (b"a", b"a.b", b"a.b", b"a.b.a", b"b", b"foo.a", b"_INBOX.1.2")
_ODD_SUBJECTS = (
    *(
        b"foo..bar",
        b".foo",
        b"foo.",
        b"foo.>.bar",
        b">.",
        b"foo*",
        b"*",
        b">",
        b"a.*",
        b"a.>",
        b"*.b",
        b"\x00",
        b"\xff.",
    ),
    *(b"$SYS.a", b"_R_.a", b"_GR_.a", b"_GR_.", b"$GR.x", b"$NRG.a", b"$JS.ACK.x", b"$JS.ACK.", b"a." * 40 + b"a"),
)
_ODD_SIZES = (
    *(b"-1", b"+1", b"1_0", b"\xd9\xa3", b"0x1", b"", b"00000", b"999999999", b"9999999999", b"18446744073709551617"),
)
_ODD_DOCUMENTS = (
    *(b"", b"{", b"[]", b"null", b"{}" * 9, b'{"a":"\x00"}', b"\xff\xfe", b"{" * 300, b" " * 5000, b'{"verbose":1}'),
)
_ODD_LINES = (
    *(b"+OK\r\n", b"-ERR 'x'\r\n", b"INFO {}\r\n", b"INFO x\r\n", b"PING x\r\n", b"pOnG\n", b"\r\n", b"\n"),
    *(b"HMSG a 1 1 1\r\nx\r\n", b"MSG a 1 1\r\nx\r\n", b"SUB\r\n", b"SUB a\r\n", b"SUB \na q 1\r\n", b"UNSUB\r\n"),
    *(b"PUB\r\n", b"PUB a\r\n", b"PINGPING\r\n", b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\x02", b"SUB a b c d\r\n"),
    *(b"UNSUB 1 2 3\r\n", b"PUB a b c d\r\n"),
)
_TEXT = b"PUB a 1\r\nz\r\nPING\r\n"
_BROKER = ("open", "grant", "grant", "close", "trace", "trace", "write", "error", "wait", "fail")
_SUB = re.compile(rb"(SUB[ \t]+\n?)([^\n]*)\n", re.IGNORECASE)
_ACCOUNTS = ("$G",) * 6 + ("A",)


def write_scenario(seed: int) -> Scenario:
    """Make a scenario; the same seed makes the same one."""
    return _Author(seed).write()


def alone_in_group(client: int, data: bytes) -> bytes:
    """Give each queue subscription a group of its own: who of several members gets a message is chance."""

    def rename(found: re.Match[bytes]) -> bytes:
        parts = found[2].split()
        if len(parts) != 3:
            return found[0]
        subject, queue, sid = parts
        return b"%b%b %b.%d.%b %b\r\n" % (found[1], subject, queue[:9], client, sid, sid)

    return _SUB.sub(rename, data)


class _Author:
    """Writes one scenario."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = Random(seed)
        self._moves: list[Move] = []
        self._waiting: dict[int, deque[bytes]] = {}
        """Pieces of what each client is about to send."""
        self._n_clients = self._random.randint(1, 5)
        self._spoilt = self._random.choice((0.0, 0.0, 0.0, 0.02, 0.15, 0.6))
        self._large = self._random.random() < 0.04
        self._chopped = self._random.choice((0.0, 0.2, 0.9))
        self._n_messages = 0

    def write(self) -> Scenario:
        chance = self._random
        limits = {
            "max_control_line": chance.choice((64, 256, 4096)),
            "max_pending": chance.choice((400, 1500, 1500, 4096, 65536, 1 << 20, 1 << 26)),
            "max_sub_tokens": chance.choice((0, 0, 3)),
            "drop_instead_of_stall": chance.random() < 0.2,
            "cache_size": chance.choice((0, 1, 2, 8192)),
        }
        grants = tuple(self._grant_fields() for _ in range(chance.randint(1, 4)))
        relief = chance.choice((0, 0, 0, 7, 300, -1))
        temper = chance.choice(("meek", "meek", "meek", "meek", "strict", "wild"))
        for who in range(self._n_clients):
            self._add(chance.choice(("open", "open", "open", "stranger")), number=chance.randrange(4))
            if self._moves[-1].verb == "stranger" and chance.random() < 0.8:
                self._add("feed", who, data=self._connect())
        for _ in range(chance.randint(0, 2)):
            self._listen()
        for who in range(self._n_clients):
            self._add("block", who, int(chance.random() < 0.5))
        if chance.random() < 0.7:
            self._subscribe_all()
        for _ in range(chance.choice((5, 20, 50))):
            self._go_on()
        while self._waiting:
            self._feed_next()
        return Scenario(self._seed, limits, grants, relief, temper, tuple(self._moves))

    def _grant_fields(self) -> dict[str, Any]:
        chance = self._random
        fields: dict[str, Any] = {
            "account": chance.choice(_ACCOUNTS),
            "verbose": chance.random() < 0.3,
            "pedantic": chance.random() < 0.2,
            "echo": chance.random() < 0.8,
            "headers": chance.random() < 0.9,
            "no_responders": chance.random() < 0.3,
            "max_payload": chance.choice((-1, -1, -1, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 40)),
            "max_subscriptions": chance.choice((0, 0, 0, 2)),
        }
        if chance.random() < 0.35:
            fields["permissions"] = chance.choice(tuple(PERMISSIONS))
        return fields

    # ---- what happens

    def _add(self, verb: str, who: int = 0, number: int = 0, data: bytes = b"") -> None:
        self._moves.append(Move(verb, who, number, data))

    def _who(self) -> int:
        return self._random.randrange(self._n_clients)

    def _go_on(self) -> None:
        roll = self._random.random()
        if roll < 0.35:
            self._speak(self._who())
        elif self._waiting and roll < 0.7:
            self._feed_next()
        else:
            self._random.choices((self._network, self._broker, self._insider), (6, 3, 2))[0]()

    def _speak(self, who: int) -> None:
        data = b"".join(self._say() for _ in range(self._random.choice((1, 2, 3, 12, 40))))
        while self._random.random() < self._spoilt:
            data = mutate(self._random, data)
        if data:
            self._waiting.setdefault(who, deque()).extend(self._cut(alone_in_group(who, data)))

    def _cut(self, data: bytes) -> list[bytes]:
        if self._random.random() >= self._chopped:
            return [data]
        if len(data) < 80 and self._random.random() < 0.2:
            return [data[at : at + 1] for at in range(len(data))]
        marks = sorted(self._random.randint(0, len(data)) for _ in range(self._random.choice((1, 2, 6))))
        return [data[start:stop] for start, stop in zip([0, *marks], [*marks, len(data)], strict=True)]

    def _feed_next(self) -> None:
        who = self._random.choice(tuple(self._waiting))
        self._add("feed", who, data=self._waiting[who].popleft())
        if not self._waiting[who]:
            del self._waiting[who]

    def _network(self) -> None:
        verb = self._random.choice(("send", "send", "drain", "take", "compact", "block"))
        self._add(verb, self._who(), self._random.choice((0, 1, 10, 100, 1000, 1 << 20)))

    def _broker(self) -> None:
        verb = self._random.choice(_BROKER)
        if verb in ("close", "fail") and self._random.random() < 0.6:
            verb = "grant"  # who has left makes a dull play
        if verb == "open":
            self._n_clients += 1
        data = {"write": b"PING\r\n", "error": b"Slow down"}.get(verb, b"")
        self._add(verb, self._who(), self._random.randrange(4), data)

    def _listen(self) -> None:
        account = self._random.choice(_ACCOUNTS).encode()
        self._n_messages += 1
        queue = b"inside.%d" % self._n_messages if self._random.random() < 0.2 else b""
        self._add("listen", data=b"|".join((account, self._pattern(), queue)))

    def _insider(self) -> None:
        if self._random.random() < 0.2:
            self._listen()
            return
        header = self._random.choice((b"", b"", b"NATS/1.0\r\nA: b\r\n\r\n"))
        reply = self._random.choice((b"", self._subject()))
        self._add(
            "publish", self._random.randrange(4), data=b"|".join((self._subject(), reply, header, self._payload()))
        )

    def _subscribe_all(self) -> None:
        for who in range(self._n_clients):
            lines = b"".join(b"SUB %b %d\r\n" % (self._pattern(), sid) for sid in range(20, 23))
            self._add("feed", who, data=lines)

    # ---- what clients say

    def _say(self) -> bytes:
        kinds: tuple[tuple[Callable[[], bytes], int], ...] = (
            *((self._pub, 10), (self._hpub, 5), (self._sub, 6), (self._unsub, 3), (self._ping, 1), (self._connect, 1)),
            *((self._answer, 2), (self._odd_line, 1 if self._spoilt else 0), (lambda: operation(self._random), 2)),
        )
        says, weights = zip(*kinds, strict=True)
        return bytes(self._random.choices(says, weights)[0]())

    def _subject(self) -> bytes:
        roll = self._random.random()
        if roll < 0.8:
            return self._random.choice(_SUBJECTS)
        if roll < 0.8 + 0.1 * bool(self._spoilt):
            return self._random.choice(_ODD_SUBJECTS)
        return b".".join(self._random.choices(_TOKENS, k=self._random.randint(1, 4)))

    def _pattern(self) -> bytes:
        tokens = self._random.choices(_PATTERN_TOKENS, k=self._random.randint(1, 3))
        if self._random.random() < 0.2:
            tokens[-1] = b">"
        return b".".join(tokens)

    def _line(self, *words: bytes) -> bytes:
        roll = self._random.random()
        if roll < 0.9:
            return b" ".join(word for word in words if word) + b"\r\n"
        blank = self._random.choice((b"  ", b"\t", b" \t "))
        end = self._random.choice((b"\n", b" \r\n", b"\r\n"))
        return blank.join((words[0].lower(), *(word for word in words[1:] if word))) + end

    def _payload(self) -> bytes:
        self._n_messages += 1
        number = b"%d:" % self._n_messages
        if self._large and self._random.random() < 0.2:
            return number + b"L" * self._random.randint(1 << 16, 300_000)
        return number + self._random.choice((b"", b"x", b"y" * 30, b"\x00\r\n", _TEXT, b"z" * 700))

    def _size(self, size: int) -> bytes:
        if self._random.random() < self._spoilt / 3:
            return self._random.choice(_ODD_SIZES)
        return b"%0*d" % (self._random.choice((0, 0, 0, 0, 7)), size)

    def _reply(self) -> bytes:
        return self._subject() if self._random.random() < 0.3 else b""

    def _pub(self) -> bytes:
        payload = self._payload()
        return self._line(b"PUB", self._subject(), self._reply(), self._size(len(payload))) + payload + b"\r\n"

    def _hpub(self) -> bytes:
        header = self._random.choice((b"NATS/1.0\r\n\r\n", b"NATS/1.0\r\nA: b\r\n\r\n", b"", b"none"))
        body = header + self._payload()
        sizes = self._size(len(header)), self._size(len(body))
        return self._line(b"HPUB", self._subject(), self._reply(), *sizes) + body + b"\r\n"

    def _answer(self) -> bytes:
        return b"PUB _INBOX.1.2 2\r\nok\r\n" * self._random.randint(1, 3)

    def _sid(self) -> bytes:
        return b"%d" % self._random.randint(1, 6)

    def _sub(self) -> bytes:
        subject = self._subject() if self._random.random() < 0.4 else self._pattern()
        return self._line(b"SUB", subject, b"q" if self._random.random() < 0.25 else b"", self._sid())

    def _unsub(self) -> bytes:
        return self._line(b"UNSUB", self._sid(), self._random.choice((b"", b"", b"1", b"2", b"5", b"0", b"x", b"-3")))

    def _ping(self) -> bytes:
        return self._random.choice((b"PING\r\n", b"ping\n", b"PONG\r\n"))

    def _connect(self) -> bytes:
        if self._spoilt and self._random.random() < 0.3:
            return b"CONNECT " + self._random.choice(_ODD_DOCUMENTS) + b"\r\n"
        document: dict[str, Any] = {"lang": "é\u0000", "grant": self._random.randrange(4)}
        if self._random.random() < 0.2:
            document["later"] = True
        return b"CONNECT " + json.dumps(document).encode() + b"\r\n"

    def _odd_line(self) -> bytes:
        return self._random.choice((*_ODD_LINES, b"PUB " + b"x" * self._random.choice((50, 300, 5000)) + b" 1\r\n"))
