"""Whether certificates live long enough: in files, and those that running servers show."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from natsctl.errors import LinkError
from natsctl.ops.blocking import BlockingThread
from natsctl.ops.certs_check import endings
from natsctl.ops.check.result import Figure, Limits, Result, Status, Unit
from natsctl.ops.probe import Address, Probe, probe
from natsctl.pki.lifetimes import format_lifetime

__all__ = ["ServerQuestion", "check_files", "check_server_cert", "conclude"]


@dataclass(frozen=True, slots=True)
class ServerQuestion:
    """A server to look at, and what its clients know.

    Attributes:
        host: Where it is.
        port: Where it listens.
        name: The name its clients use, where that is not the host.
        ca: CAs they trust; those of the system without.
        timeout_s: How long to look.
    """

    host: str
    port: int
    name: str
    ca: Path | None
    timeout_s: float


def check_files(paths: Sequence[Path], left: Limits, result: Result) -> None:
    """Look at certificates in files, directories and configurations.

    Args:
        paths: Where they are.
        left: How long they have to live; seconds.
        result: Takes what is found.

    Raises:
        NatsctlError: A file cannot be read, or is not what it should be.
    """
    now = datetime.now(UTC)
    found = endings(paths, now)
    if not found:
        result.say(Status.UNKNOWN, f"no certificate in {', '.join(map(str, paths))}")
    for ending in found:
        _judge(str(ending.path), ending.description.not_before - now, ending.left, left, result)


async def check_server_cert(question: ServerQuestion, left: Limits, result: Result) -> None:
    """Look at what a server shows to clients, and ask whether they accept it."""
    place = f"{question.host}:{question.port}"
    now = datetime.now(UTC)
    thread = BlockingThread("natsctl-probe")
    try:
        async with asyncio.timeout(question.timeout_s):
            found = await thread.call(_look, question, now)
    except TimeoutError:
        result.say(Status.CRITICAL, f"{place} did not show a certificate within {question.timeout_s:g} s")
        return
    except LinkError as error:
        result.say(Status.CRITICAL, str(error))
        return
    for objection in found.objections:
        result.say(Status.CRITICAL, f"{place}: {objection.message}")
    if found.chain:
        first = min(found.chain, key=lambda description: description.not_after)
        _judge(place, first.not_before - now, first.not_after - now, left, result)


def _look(question: ServerQuestion, now: datetime) -> Probe:
    address = Address(question.host, question.port)
    return probe(address, now, name=question.name, ca=question.ca, timeout_s=question.timeout_s)


def conclude(result: Result) -> None:
    """Say in one sentence that all is well, where it is."""
    if result.figures and result.status is Status.OK:
        first = min(result.figures, key=lambda figure: figure.value)
        count = f"{len(result.figures)} certificates, the first" if len(result.figures) > 1 else "the certificate"
        left = format_lifetime(timedelta(seconds=first.value))
        result.say(Status.OK, f"{count} expires in {left} ({first.item})")


def _judge(item: str, begins: timedelta, left: timedelta, limits: Limits, result: Result) -> None:
    figure = Figure("left", left.total_seconds(), Unit.SECONDS, item, limits)
    result.figures.append(figure)
    status = limits.judge(figure.value)
    if begins > timedelta():
        result.say(Status.CRITICAL, f"{item}: the certificate is not valid before {format_lifetime(begins)} from now")
    if left <= timedelta():
        result.say(Status.CRITICAL, f"{item}: the certificate expired {format_lifetime(-left)} ago")
    elif status:
        result.say(status, f"{item}: the certificate expires in {format_lifetime(left)}")
