"""``natsctl bench``: measure what a server takes and delivers, and how long it takes."""

from __future__ import annotations

import re
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from natsctl.bench.compare import compare, differences
from natsctl.bench.conductor import Conductor, Course
from natsctl.bench.document import Document, encode, make_document, read_document
from natsctl.bench.plan import MAX_SIZE, Login, Plan, Target, Tls
from natsctl.bench.report import classic_csv, classic_report, details
from natsctl.bench.result import Result, evaluate
from natsctl.bench.stamp import MAX_RUN_ID, STAMP_BYTES
from natsctl.cli.connect_options import duration, takes_settings
from natsctl.cli.goflags import GoCommand
from natsctl.cli.messages import parse_header_options
from natsctl.cli.output import note
from natsctl.errors import BenchError, LinkError, NoResponders, UsageError
from natsctl.ops.settings import DEFAULT_TIMEOUT_S, Settings
from natsctl.units import format_duration

__all__ = ["app"]

app = typer.Typer(add_completion=False)

_DEFAULT_MSGS = 100_000
_DEFAULT_SIZE = 128
_DEFAULT_OUTAGE_S = 30.0
_SIGNAL_EXIT = 128
_JWT = re.compile(r"-BEGIN NATS USER JWT-+\s+([\w.-]+)")
_SEED = re.compile(r"-BEGIN USER NKEY SEED-+\s+(\w+)")


@app.command("bench", cls=GoCommand, options_metavar="[FLAGS]")
@takes_settings
def bench(
    settings: Settings,
    subject: Annotated[str, typer.Argument(help="Subject to publish and subscribe to.", show_default=False)],
    n_publishers: Annotated[
        int, typer.Option("-np", "--pubs", help="Publishers, each with a connection.", metavar="N")
    ] = 1,
    n_subscribers: Annotated[
        int, typer.Option("-ns", "--subs", help="Subscribers, each with a connection.", metavar="N")
    ] = 0,
    n_msgs: Annotated[
        int | None,
        typer.Option(
            "-n",
            "--msgs",
            help="Messages over all publishers (default 100000, or no limit with --duration).",
            metavar="N",
            show_default=False,
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option("-ms", "--size", help="Bytes of a message (default 128).", metavar="BYTES", show_default=False),
    ] = None,
    rate: Annotated[
        float,
        typer.Option(
            "--rate", help="Messages per second over all publishers, evenly spaced; 0 is no limit.", metavar="N"
        ),
    ] = 0.0,
    duration_s: Annotated[
        float | None, typer.Option("--duration", help="Publish for so long.", parser=duration, metavar="DURATION")
    ] = None,
    queue: Annotated[str, typer.Option("--queue", help="Queue group of the subscribers.", metavar="NAME")] = "",
    request: Annotated[
        bool, typer.Option("--request", help="Publishers send requests; subscribers answer, or others do with -ns 0.")
    ] = False,
    in_flight: Annotated[
        int, typer.Option("--inflight", help="Requests that each publisher keeps open.", min=1, metavar="N")
    ] = 1,
    n_subjects: Annotated[
        int, typer.Option("--subjects", help="Publish to so many subjects, SUBJECT.0 and on.", min=1, metavar="N")
    ] = 1,
    header: Annotated[
        list[str] | None, typer.Option("-H", "--header", help="Header; may be repeated.", metavar="NAME:VALUE")
    ] = None,
    payload: Annotated[
        str | None, typer.Option("--payload", help="Send the content of this file, unstamped.", metavar="FILE")
    ] = None,
    is_random: Annotated[bool, typer.Option("--random", help="Send random bytes, not zero bytes.")] = False,
    stamp: Annotated[
        bool,
        typer.Option(
            "--stamp",
            help="Number and time the messages in their first 16 bytes, where there is room: this gives latencies,"
            " and tells losses from duplicates.",
        ),
    ] = True,
    n_processes: Annotated[
        int,
        typer.Option(
            "--processes",
            help="Processes for publishers, and for subscribers (default: half of the processors).",
            min=0,
            metavar="N",
            show_default=False,
        ),
    ] = 0,
    max_outage_s: Annotated[
        float | None,
        typer.Option(
            "--max-outage",
            help="Give up when a connection is lost for longer (default 30s).",
            parser=duration,
            metavar="DURATION",
        ),
    ] = None,
    csv_file: Annotated[
        str | None, typer.Option("--csv", help="Write a row for each client to this file.", metavar="FILE")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON document in place of the report.")] = False,
    compare_file: Annotated[
        str | None, typer.Option("--compare", help="Compare with the JSON document of an earlier run.", metavar="FILE")
    ] = None,
    plot: Annotated[bool, typer.Option("--plot", help="Draw the distribution of the latencies.")] = False,
) -> None:
    """Measure how many messages a server takes and delivers, and how long they take.

    Flags are those of nats-bench, in Go's manner; they come before the subject. The report is that of nats-bench, and
    below it latencies, an account of every message, and the rates of the steady state. Latency counts from the time at
    which a message was to be sent: with --rate it shows what a user would have felt.

    Lost connections are made anew, and what that cost is reported. Fails with exit code 10 when messages were lost.
    """
    if as_json and (plot or compare_file):
        raise UsageError("--plot and --compare are for people; leave out --json")
    earlier = read_document(compare_file) if compare_file else None
    content = _read_payload(payload) if payload else b""
    if payload and (size not in (None, len(content)) or is_random):
        raise UsageError("a payload from a file has the size and the content of the file")
    size = len(content) if payload else _DEFAULT_SIZE if size is None else size
    if n_msgs is not None and n_msgs <= 0:
        raise UsageError("number of messages should be greater than zero")
    plan = Plan(
        subject=subject,
        n_publishers=n_publishers,
        n_subscribers=n_subscribers,
        n_msgs=(0 if duration_s else _DEFAULT_MSGS) if n_msgs is None else n_msgs,
        size=size,
        duration_s=duration_s or 0.0,
        rate=rate,
        queue=queue,
        is_request=request,
        in_flight=in_flight,
        inbox_prefix=settings.inbox_prefix or "_INBOX",
        headers=_header_block(header),
        n_subjects=n_subjects,
        payload=content,
        is_random=is_random,
        is_stamped=stamp
        and not payload
        and not request
        and bool(n_publishers and n_subscribers)
        and size >= STAMP_BYTES,
        run_id=secrets.randbelow(MAX_RUN_ID) + 1,
    )
    plan.check()
    if plot and not plan.measures_latency:
        hint = f"it takes a publisher, a subscriber and messages of {STAMP_BYTES} bytes, or --request"
        raise UsageError("there will be no latencies to --plot", hint=hint)
    if csv_file:
        _check_writable(csv_file)
    conductor = Conductor(
        plan, _target(settings, _DEFAULT_OUTAGE_S if max_outage_s is None else max_outage_s), n_processes
    )
    length = f"msgs={plan.n_planned}" if plan.n_planned else f"duration={format_duration(plan.duration_s)}"
    note(f"Starting benchmark [{length}, msgsize={size}, pubs={n_publishers}, subs={n_subscribers}]")
    course, received = _run(conductor, plan)
    result = evaluate(plan, course)
    document = make_document(result)
    if as_json:
        print(encode(document))
    else:
        _show(result, document, earlier, plot=plot)
    if csv_file:
        Path(csv_file).expanduser().write_text(classic_csv(result))
        note(f"Saved metric data in csv file {csv_file}")
    if received is not None:
        raise typer.Exit(_SIGNAL_EXIT + received)
    _raise_shortcomings(result, course)


def _target(settings: Settings, max_outage_s: float) -> Target:
    """Say where to and who as plain values: they go to other processes, which make TLS and signatures of them."""
    from natsctl.ops.credentials import connect_arguments, wants_tls

    arguments = connect_arguments(settings)  # checks every file before a process is started
    jwt, seed = settings.user_jwt or "", arguments.get("nkeys_seed_str", "")
    if creds := arguments.get("user_credentials"):
        jwt, seed = ("".join(part.findall(str(creds))[:1]) for part in (_JWT, _SEED))
    return Target(
        servers=settings.servers or (),
        login=Login(settings.user or "", settings.password or "", settings.token or "", jwt, seed),
        tls=Tls(
            is_required=wants_tls(settings),
            is_first=bool(settings.tls_first),
            ca=settings.tls_ca or "",
            cert=settings.tls_cert or "",
            key=settings.tls_key or "",
        ),
        name=settings.connection_name or "natsctl bench",
        timeout_s=settings.timeout_s or DEFAULT_TIMEOUT_S,
        max_outage_s=max_outage_s,
    )


def _read_payload(file: str) -> bytes:
    with Path(file).expanduser().open("rb") as stream:
        content = stream.read(MAX_SIZE + 1)
    if len(content) > MAX_SIZE:
        raise UsageError(f"{file} is larger than {MAX_SIZE} bytes, the most that a message can hold")
    return content


def _check_writable(file: str) -> None:
    """Find out before the run, not after it."""
    Path(file).expanduser().open("a").close()


def _header_block(options: list[str] | None) -> bytes:
    headers = parse_header_options(options)
    if not headers:
        return b""
    lines = [f"{name}: {value}\r\n" for name, values in headers.items() for value in values]
    return f"NATS/1.0\r\n{''.join(lines)}\r\n".encode()


def _run(conductor: Conductor, plan: Plan) -> tuple[Course, int | None]:
    """Run to the end, or to the first signal, whose number is returned too."""
    from natsctl.cli.bench_display import Display

    with _stopping(conductor) as received, Display(plan) as display:
        course = conductor.run(display.show)
    return course, received[0] if received else None


@contextmanager
def _stopping(conductor: Conductor) -> Iterator[list[int]]:
    """Have the first SIGINT or SIGTERM stop the run in good order; a second one ends the program."""
    received: list[int] = []
    before: dict[int, Any] = {}

    def stop(number: int, _frame: object) -> None:
        received.append(number)
        conductor.stop()
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's background job
            before[number] = signal.signal(number, stop)
    try:
        yield received
    finally:
        restore()


def _show(result: Result, document: Document, earlier: Document | None, *, plot: bool) -> None:
    print(classic_report(result))
    print("", *details(result), sep="\n")
    if plot and result.latencies:
        from natsctl.cli.bench_display import show_latencies

        print()
        show_latencies(result.latencies)
    if earlier:
        print(f"\nCompared with {earlier.at}:", *compare(earlier, document), sep="\n")
        for difference in differences(earlier.setting, document.setting):
            print(f"asked for differently: {difference}")


def _raise_shortcomings(result: Result, course: Course) -> None:
    """End with the exit code of what went wrong, now that the report is out.

    Raises:
        NatsctlError: What ended the run, or how many messages were lost.
    """
    books = result.accounting
    if course.failure:
        raise course.failure
    if books.refused and not books.delivered:
        raise NoResponders(result.plan.subject)
    for client, outage in result.outages:
        if outage.end_us is None:
            raise LinkError(f"{client} lost its connection ({outage.reason}), and it did not come back")
    if books.lost and result.plan.is_request:
        raise BenchError(f"{books.lost} of {books.expected} requests were not answered")
    if books.lost:
        raise BenchError(f"{books.lost} of {books.expected} deliveries were lost")
    if books.duplicated:
        raise BenchError(f"{books.duplicated} messages were delivered more than once")
