"""``python -m benchmarks``: natsctl with each engine and nats-server in turn, row by row."""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.document import Document, describe_machine, read, today, write
from benchmarks.readme import README, rewrite
from benchmarks.rounds import measure_all
from benchmarks.rows import ROWS, Row, select
from benchmarks.servers import contenders
from benchmarks.tables import plain, refusals
from natsctl.engine import available
from natsctl.errors import NatsctlError, UsageError

_PURPOSE = "Measure natsctl with each engine and nats-server in turn, row by row, and print the ratios."
_REFUSED = 1
_QUICK_S = 0.2
_MAX_S = 60.0
"""Longer loads would outlast the patience with the generator."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=_PURPOSE)
    parser.add_argument("--rounds", type=_positive_int, default=5, help="how often (%(default)s)")
    parser.add_argument("--seconds", type=_positive_seconds, default=1.0, help="length of each load (%(default)s)")
    parser.add_argument("--quick", action="store_true", help=f"one round of {_QUICK_S:g} s, to see that it works")
    names = ", ".join(row.name for row in ROWS)
    parser.add_argument("--only", default="", metavar="ROWS", help=f"some of {names}; mixed is always among them")
    parser.add_argument("--engines", default=",".join(available()), help="of natsctl (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to keep the result")
    parser.add_argument(
        "--readme", type=Path, metavar="FILE", help="measure nothing: write this result into the README"
    )
    return parser


def _positive_int(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


def _positive_seconds(text: str) -> float:
    if not 0 < (value := float(text)) <= _MAX_S:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and {_MAX_S:g}")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit code is 1 when a row had to be refused."""
    options = _parser().parse_args(arguments)
    try:
        return _publish(options.readme) if options.readme else _run(options)
    except NatsctlError as error:
        print(f"benchmarks: {error}" + (f" ({error.hint})" if error.hint else ""), file=sys.stderr)
        return error.exit_code


def _publish(result: Path) -> int:
    README.write_text(rewrite(README.read_text("utf-8"), read(result)), "utf-8")
    return 0


def _run(options: argparse.Namespace) -> int:
    rows, engines = select(options.only), options.engines.split(",")
    if absent := set(engines) - set(available()):
        raise UsageError(f'no engine "{min(absent)}" in this installation (there is {", ".join(available())})')
    rounds, seconds = (1, _QUICK_S) if options.quick else (options.rounds, options.seconds)
    document = _measure(rows, engines, rounds, seconds)
    if options.json:
        write(document, options.json)
    print(plain(document))
    refused = refusals(document)
    for reason in refused:
        print(f"refused: {reason}", file=sys.stderr)
    return _REFUSED if refused else 0


def _measure(rows: Sequence[Row], engines: Sequence[str], rounds: int, seconds: float) -> Document:
    _allow_many_connections()
    servers = contenders(engines)
    date, machine = today(), describe_machine(servers)
    results = measure_all(rows, servers, rounds, seconds, lambda text: print(text, file=sys.stderr))
    names = [row.name for row in rows]
    return Document(date, machine, rounds, seconds, list(engines), names, results)


def _allow_many_connections() -> None:
    """Let servers and generator, which inherit it, have as many files open as the system lets them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
