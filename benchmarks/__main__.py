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
from natsctl.errors import BenchError

_REFUSED = 1
_QUICK_S = 0.2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often (%(default)s)")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of each load (%(default)s)")
    parser.add_argument("--quick", action="store_true", help=f"one round of {_QUICK_S:g} s, to see that it works")
    names = ", ".join(row.name for row in ROWS)
    parser.add_argument("--only", default="", metavar="ROWS", help=f"some of {names}; mixed is always among them")
    parser.add_argument("--engines", default=",".join(available()), help="of natsctl (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to keep the result")
    parser.add_argument(
        "--readme", type=Path, metavar="FILE", help="measure nothing: write this result into the README"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit code is 1 when a row had to be refused."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        if options.readme:
            README.write_text(rewrite(README.read_text("utf-8"), read(options.readme)), "utf-8")
            return 0
        rows = select(options.only)
        engines = tuple(options.engines.split(","))
        if absent := set(engines) - set(available()):
            parser.error(f"no engine {min(absent)} in this installation (there is {', '.join(available())})")
        rounds, seconds = (1, _QUICK_S) if options.quick else (options.rounds, options.seconds)
        document = _measure(rows, engines, rounds, seconds)
    except ValueError as error:
        parser.error(str(error))
    except BenchError as error:
        print(f"benchmarks: {error}" + (f" ({error.hint})" if error.hint else ""), file=sys.stderr)
        return error.exit_code
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
