"""One session of each kind, played again and again, each time with another allocation failing.

Run by its test as ``python -m tests.fuzz.allocations`` with ``failing_malloc.c`` preloaded. A call that raises
MemoryError costs the session it was made for, which is then closed, as the broker does; nobody else may notice.
"""

from __future__ import annotations

import ctypes
import gc
import json
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from natsctl.engine import create
from natsctl.engine.api import Engine, Grant, InternalSession, Limits, Session
from natsctl.engine.permissions import Permissions, Responses, Rule
from natsctl.errors import ClosedReason
from tests.support.frames import is_message, split_frames
from tests.support.rig import Recorder, quiet

_malloc = ctypes.CDLL(None)
_BURST = 50
"""Allocations that fail in a row; with no end, CPython itself waits for ever for memory to handle the error."""
_STRIDE = 10
"""From the beginning of one burst to that of the next."""
_TAG = re.compile(rb"<(\d\d)>")
_LOST_BY_PYTHON = "error return without exception set"
"""What CPython makes of an exception when it has no memory for its traceback."""
_MANY = b"".join(b"SUB many.%d.x m%d\r\n" % (n, n) for n in range(11))


class Step(NamedTuple):
    """One call for one session.

    Attributes:
        verb: ``feed``, ``flush``, ``compact`` or ``close``.
        data: What is fed; ``<00>`` in it becomes the number of the step, so that each message tells where it is from.
    """

    who: str
    verb: str
    data: bytes = b""


def _say(who: str, *lines: bytes) -> Step:
    return Step(who, "feed", b"\r\n".join((*lines, b"")))


def _pub(subject: bytes, size: int = 4) -> bytes:
    return b"PUB %b %d\r\n<00>%b" % (subject, size, b"x" * (size - 4))


_STEPS = (
    _say("plain", b"SUB a.b 1", b"SUB a.* 2", b"SUB a.> 3", b"SUB *.b q 4", b"SUB deep.down.and.further 5", b"PING"),
    _say("guarded", b"SUB a.> 1", b"SUB denied 2", b"SUB ask 3"),
    _say("poor", b"SUB a.b 1", b"SUB new.* group 2", b"SUB new.b 3"),
    _say("traced", b"SUB a.b 1", b"SUB > 2"),
    _say("stuck", b"SUB big 1"),
    _say("stranger", b'CONNECT {"verbose":true}', b"SUB a.b 1", _pub(b"a.b")),
    _say("sender", _pub(b"a.b"), _pub(b"a.c"), _pub(b"nobody"), _pub(b"a.b", 2000)),
    _say("sender", b"HPUB a.b 12 18\r\nNATS/1.0\r\n\r\n<00>12"),
    _say("sender", b"SUB _INBOX.1 1", b"PUB nobody _INBOX.1 4\r\n<00>"),
    _say("sender", b"PUB ask _INBOX.1 4\r\n<00>"),
    _say("guarded", b"PUB _INBOX.1 2\r\nok", _pub(b"denied"), _pub(b"a.b"), _pub(b"a.b")),
    Step("plain", "flush"),
    Step("traced", "compact"),
    _say("plain", _MANY.rstrip()),
    _say("sender", *(_pub(b"many.%d.x" % n) for n in range(40))),
    _say("plain", b"SUB auto 7", b"UNSUB 7 2"),
    _say("sender", _pub(b"auto"), _pub(b"auto"), _pub(b"auto"), _pub(b"a.b")),
    Step("sender", "feed", b"PUB a.b 6\r\n"),
    Step("sender", "feed", b"12"),
    Step("sender", "feed", b"<00>\r\n"),
    _say("sender", _pub(b"big", 30_000)),
    _say("other", _pub(b"big", 30_000)),
    Step("stuck", "compact"),
    _say("sender", _pub(b"big", 30_000)),
    _say("plain", b"UNSUB 1", b"UNSUB 4", *(b"UNSUB m%d" % n for n in range(0, 11, 2))),
    _say("other", _pub(b"a.b"), _pub(b"many.3.x")),
    Step("poor", "close"),
    _say("other", _pub(b"a.b"), _pub(b"new.b")),
    _say("traced", b"PING", b"SUB bad..subject 9", b"UNSUB 1"),
    Step("traced", "flush"),
    Step("plain", "flush"),
    _say("other", _pub(b"a.b"), b"nonsense"),
    _say("sender", _pub(b"a.b")),
    Step("plain", "close"),
    _say("sender", _pub(b"a.b")),
)


def _grants() -> dict[str, Grant | None]:
    guarded = Permissions(
        publish_allow=[b"a.b", b"x"], subscribe_deny=[Rule(b"a.c"), Rule(b"denied")], responses=Responses(1, 0)
    )
    return {
        "plain": quiet(),
        "guarded": quiet(permissions=guarded),
        "poor": quiet(headers=False, echo=False),
        "traced": quiet(pedantic=True, verbose=True),
        "stuck": quiet(),
        "stranger": None,
        "sender": quiet(no_responders=True),
        "other": quiet(),
    }


def _place_of(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno} {frame.line}"


class Run:
    """The steps, played once.

    Attributes:
        broken: Sessions whose call raised, with the step.
        surprises: What else than MemoryError was raised.
        output: What each session sent.
    """

    def __init__(self) -> None:
        handler = Recorder()
        handler.answer = lambda session, document: session.grant(Grant(headers=True))
        self.engine: Engine = create(handler, Limits(), "native")
        self.sessions: dict[str, Session] = {name: self.engine.open(name, grant) for name, grant in _grants().items()}
        self.sessions["traced"].tracing = True
        self.insider: InternalSession = self.engine.open_internal("$G")
        self.insider.subscribe(b"a.*")
        self.output = dict.fromkeys(self.sessions, b"")
        self.broken: dict[str, int] = {}
        self.surprises: list[str] = []
        self.closed: set[str] = set()

    def play(self) -> None:
        """Take all steps; allocations count only within the engine's calls."""
        for number, step in enumerate(_STEPS):
            if step.who in self.broken or step.who in self.closed:
                continue
            call = self._call_of(number, step)
            try:
                _malloc.allocations_count(1)
                try:
                    call()
                finally:
                    _malloc.allocations_count(0)
            except Exception as error:
                if not (isinstance(error, MemoryError) or str(error) == _LOST_BY_PYTHON):
                    self.surprises.append(f"{type(error).__name__}: {error} at {_place_of(error)}")
                self.broken[step.who] = number
                self._end(step.who)
            if step.verb == "close":
                self.closed.add(step.who)

    def _end(self, who: str) -> None:
        try:
            self.sessions[who].close(ClosedReason.READ_ERROR)
        except Exception as error:
            self.surprises.append(f"close: {type(error).__name__}: {error} at {_place_of(error)}")

    def _call_of(self, number: int, step: Step) -> Callable[[], Any]:
        session = self.sessions[step.who]
        if step.verb == "feed":
            data = step.data.replace(b"<00>", b"<%02d>" % number)
            return lambda: session.feed(data)
        if step.verb == "flush":
            return lambda: self._flush(step.who)
        if step.verb == "compact":
            return session.compact
        return lambda: session.close(ClosedReason.CLIENT_CLOSED)

    def _flush(self, who: str) -> None:
        session = self.sessions[who]
        while session.has_output():
            chunk = session.take()
            self.output[who] += chunk
            session.sent(len(chunk))

    def messages(self, who: str) -> list[bytes]:
        """The messages a session has been sent, each of them whole."""
        frames, rest = split_frames(self.output[who])
        assert not rest, f"{who}: half a frame"
        return [frame for frame in frames if is_message(frame)]

    def problems(self, flawless: Run) -> dict[str, list[str]]:
        """What is wrong now that the memory is back, by kind."""
        return {
            "surprises": self.surprises,
            "counts": self._wrong_counts(),
            "output": self._wrong_output(flawless),
            "future": self._wrong_future(),
        }

    def _open(self) -> list[str]:
        return [name for name, session in self.sessions.items() if session.closed is None]

    def _wrong_counts(self) -> list[str]:
        held = sum(self.sessions[name].n_subscriptions for name in self._open()) + 1
        counted = self.engine.n_subscriptions()
        return [f"{counted} subscriptions counted, {held} held"] if counted != held else []

    def _wrong_output(self, flawless: Run) -> list[str]:
        found = []
        for name in self._open():
            self._flush(name)
            if self.sessions[name].pending_bytes:
                found.append(f"{name}: {self.sessions[name].pending_bytes} bytes pending for ever")
            expected = [frame for frame in flawless.messages(name) if self._must_come(frame)]
            got = [frame for frame in self.messages(name) if self._must_come(frame)]
            if got != expected:
                found.append(f"{name}: got {got!r:.300}, expected {expected!r:.300}")
        return found

    def _must_come(self, frame: bytes) -> bool:
        """Whether a message was sent by somebody whom no failure touched until then."""
        tag = _TAG.search(frame)
        if tag is None:
            return False
        number = int(tag[1])
        return number < self.broken.get(_STEPS[number].who, len(_STEPS))

    def _wrong_future(self) -> list[str]:
        late = self.engine.open("late", quiet())
        late.feed(b"SUB a.b 1\r\nSUB *.b q 2\r\nSUB deep.down.> 3\r\n")
        late.feed(b"PUB a.b 4\r\nlate\r\nPUB deep.down.and.further 1\r\nx\r\n")
        got = b""
        while late.has_output():
            got += late.take()
        wanted = [b"MSG a.b 1 4\r\nlate", b"MSG a.b 2 4\r\nlate", b"MSG deep.down.and.further 3 1\r\nx"]
        frames = sorted(split_frames(got)[0])
        late.close(ClosedReason.CLIENT_CLOSED)
        return [] if frames == wanted else [f"afterwards: {frames}"]


def starve(times: int) -> tuple[int, dict[str, list[str]]]:
    """Let each allocation fail in turn, with those after it; returns how many there were, and what went wrong."""
    flawless = Run()
    flawless.play()
    found = flawless.problems(flawless)
    n = 1
    while True:
        run = Run()
        _malloc.allocations_fail_at(n, times)
        run.play()
        failed = _malloc.allocations_failed()
        _malloc.allocations_fail_at(0, 0)
        if not failed:
            return n - 1, found
        for kind, problems in run.problems(flawless).items():
            found[kind] += [f"allocation {n}, broken {run.broken}: {problem:.500}" for problem in problems]
        n += 1 if times == 1 else _STRIDE


def main() -> None:
    """Starve the engine of one allocation at a time, and of many in a row; print as JSON what went wrong."""
    gc.disable()
    _malloc.allocations_failed.restype = ctypes.c_long
    reports = []
    for times in (1, _BURST):
        n_allocations, found = starve(times)
        reports.append({"allocations": n_allocations, "found": found})
    print(json.dumps(reports))


if __name__ == "__main__":
    main()
