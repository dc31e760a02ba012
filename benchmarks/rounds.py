"""The rounds: every row on every contender, paired and repeated."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import msgspec

from benchmarks import generator
from benchmarks.generator import Outcome
from benchmarks.rows import Command, Load, Row
from benchmarks.servers import REFERENCE, Contender, Server, running, running_two
from natsctl.errors import BenchError

__all__ = ["Results", "Run", "figures_of", "measure_all", "order"]

_N_STARTS = 5


class Run(msgspec.Struct, frozen=True, omit_defaults=True):
    """One row on one contender in one round.

    Attributes:
        figures: Names of `FIGURES` to numbers; empty for a run that does not count.
        failure: Why it does not count.
    """

    figures: dict[str, float] = {}
    failure: str = ""
    outcome: Outcome | None = None


Results = dict[str, dict[str, list[Run]]]
"""Row to contender to runs. Shape: one run for each round, in order."""


def order(contenders: Sequence[Contender], n_round: int) -> Sequence[Contender]:
    """Who comes when: A B C in one round, C B A in the next."""
    return contenders if n_round % 2 == 0 else contenders[::-1]


def measure_all(
    rows: Sequence[Row],
    contenders: Sequence[Contender],
    rounds: int,
    seconds: float,
    tell: Callable[[str], None],
) -> Results:
    """Measure everything.

    Args:
        rows: On those that need what natsctl lacks, nats-server is alone.
        contenders: The servers.
        rounds: How often.
        seconds: Length of each load.
        tell: Hears what is being done.

    Raises:
        BenchError: There is no load generator. What goes wrong later is written down with the run.
    """
    generator.build()  # now, not after ten minutes, it is said that there is no compiler
    results: Results = {row.name: {contender.name: [] for contender in contenders} for row in rows}
    for n_round in range(rounds):
        for row in rows:
            tell(f"round {n_round + 1} of {rounds}: {row.title}")
            for contender in order(contenders, n_round):
                if _takes_part(contender, row):
                    results[row.name][contender.name].append(_measure(row, contender, seconds))
    return results


def _takes_part(contender: Contender, row: Row) -> bool:
    return contender.name != REFERENCE or isinstance(row.work, Load)


def _measure(row: Row, contender: Contender, seconds: float) -> Run:
    try:
        with _servers(contender, row) as server:
            if isinstance(row.work, Command):
                return _time(row.work, server)
            return figures_of(generator.run(server, row.work, seconds))
    except BenchError as error:
        return Run(failure=f"{error}" + (f" ({error.hint})" if error.hint else ""))


def _servers(contender: Contender, row: Row) -> AbstractContextManager[Server]:
    if isinstance(row.work, Load) and row.work.link:
        return running_two(contender, row.work.link)
    return running(contender, tls=isinstance(row.work, Load) and row.work.tls)


def figures_of(outcome: Outcome) -> Run:
    """The figures of a load; none when a message is missing, was delivered twice, or there was no message."""
    if (outcome.delivered, outcome.delivered_bytes) != (outcome.expected, outcome.expected_bytes):
        failure = (
            f"{outcome.delivered} messages of {outcome.delivered_bytes} bytes were delivered, "
            f"not {outcome.expected} of {outcome.expected_bytes}"
        )
        return Run(failure=failure, outcome=outcome)
    if outcome.connections:
        return Run({"connection_kib": outcome.grown_bytes / outcome.connections / 1024}, outcome=outcome)
    if not outcome.published:
        return Run(failure="nothing was published", outcome=outcome)
    figures = {
        "rate": (outcome.delivered or outcome.published) / outcome.elapsed_s,
        "cpu_us": outcome.server_cpu_s / outcome.published * 1e6,
    }
    if outcome.p99_us:
        figures |= {"p50_us": outcome.p50_us, "p99_us": outcome.p99_us}
    return Run(figures, outcome=outcome)


def _time(command: Command, server: Server) -> Run:
    """The median of a few starts, each a process of its own."""
    arguments = [argument.format(url=server.url) for argument in command.arguments]
    times = []
    for _ in range(_N_STARTS):
        start = time.perf_counter()
        ended = subprocess.run([sys.executable, "-m", "natsctl", *arguments], capture_output=True, text=True)
        times.append(time.perf_counter() - start)
        if ended.returncode:
            raise BenchError(f"natsctl ended with code {ended.returncode}: {ended.stderr.strip()}")
    return Run({"start_ms": statistics.median(times) * 1e3})
