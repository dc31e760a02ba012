from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.generator import Outcome
from benchmarks.rounds import Run, figures_of, order
from benchmarks.rows import FIGURES, ROWS, Target, select
from benchmarks.servers import REFERENCE, Contender
from benchmarks.summary import Cell, Spread, summarize
from benchmarks.tables import refusals
from natsctl.errors import UsageError
from tests.unit.benchmarks.conftest import MakeDocument, runs

MIXED = select("mixed")
EXACT = Outcome(
    published=100,
    expected=1000,
    delivered=1000,
    expected_bytes=16000,
    delivered_bytes=16000,
    elapsed_s=0.5,
    server_cpu_s=0.001,
    generator_cpu_s=0.1,
    p50_us=0.0,
    p99_us=0.0,
    connections=0,
    grown_bytes=0,
)


def replace(**fields: float) -> Outcome:
    return Outcome(**({name: getattr(EXACT, name) for name in Outcome.__struct_fields__} | fields))


def cell_of(ours: list[Run], theirs: list[Run], figure: str = "rate") -> Cell:
    lines = summarize(MIXED, ["native"], {"mixed": {"native": ours, REFERENCE: theirs}})
    return next(line.cells["native"] for line in lines if line.figure == figure)


def test_the_ratio_is_the_median_of_the_ratios_of_each_round_not_the_ratio_of_the_medians() -> None:
    cell = cell_of(runs("rate", 10, 40, 90), runs("rate", 10, 10, 100))
    assert cell.value == Spread(median=1.0, low=0.9, high=4.0)


@given(st.lists(st.tuples(st.floats(1, 1e9), st.floats(1, 1e9)), min_size=1, max_size=9), st.floats(0.01, 100))
def test_a_machine_that_changes_its_pace_between_rounds_changes_no_ratio(
    pairs: list[tuple[float, float]], pace: float
) -> None:
    value = cell_of(runs("rate", *(ours for ours, _ in pairs)), runs("rate", *(theirs for _, theirs in pairs))).value
    slower = cell_of(
        runs("rate", pairs[0][0] * pace, *(ours for ours, _ in pairs[1:])),
        runs("rate", pairs[0][1] * pace, *(theirs for _, theirs in pairs[1:])),
    ).value
    assert value is not None
    assert slower is not None
    assert slower.median == pytest.approx(value.median)
    assert value.low <= value.median <= value.high
    assert value.median == statistics.median(ours / theirs for ours, theirs in pairs)


def test_the_reference_is_shown_as_its_median() -> None:
    lines = summarize(MIXED, ["native"], {"mixed": {"native": runs("rate", 1, 1, 1), REFERENCE: runs("rate", 7, 5, 9)}})
    assert lines[0].reference == 7


@pytest.mark.parametrize(("rate", "cpu", "met"), [(3.0, 0.35, True), (2.99, 0.36, False)])
def test_a_target_is_met_at_its_limit(rate: float, cpu: float, met: bool) -> None:
    assert cell_of(runs("rate", rate), runs("rate", 1)).is_met is met
    assert cell_of(runs("cpu_us", cpu), runs("cpu_us", 1), "cpu_us").is_met is met


def test_memory_and_time_are_held_to_numbers_not_to_ratios() -> None:
    results = {"idle": {"native": [Run({"connection_kib": 9.0})], REFERENCE: [Run({"connection_kib": 3.0})]}}
    line = summarize([row for row in ROWS if row.name == "idle"], ["native"], results)[0]
    assert line.cells["native"].value == Spread(9.0, 9.0, 9.0)
    assert line.cells["native"].is_met


def test_rates_and_cpu_come_from_what_was_delivered_and_published() -> None:
    run = figures_of(EXACT)
    assert run.figures == {"rate": pytest.approx(2000), "cpu_us": pytest.approx(10)}


def test_where_nothing_is_delivered_the_rate_is_that_of_publishing() -> None:
    quiet = replace(expected=0, delivered=0, expected_bytes=0, delivered_bytes=0)
    assert figures_of(quiet).figures["rate"] == pytest.approx(200)


def test_idle_connections_cost_memory() -> None:
    assert figures_of(replace(connections=10, grown_bytes=51200)).figures == {"connection_kib": 5.0}


@pytest.mark.parametrize(
    "wrong",
    [{"delivered": 999}, {"delivered": 1001}, {"delivered_bytes": 15999}, {"published": 0}],
    ids=["lost", "doubled", "cut short", "nothing at all"],
)
def test_a_run_with_wrong_counts_has_no_figures(wrong: dict[str, float]) -> None:
    run = figures_of(replace(**{"expected_bytes": 16000, **wrong}))
    assert run.figures == {}
    assert run.failure


@pytest.mark.parametrize("loser", ["native", REFERENCE])
def test_one_bad_run_refuses_the_row_and_is_not_averaged_away(loser: str, make_document: MakeDocument) -> None:
    good = {"native": runs("rate", 5, 5, 5), REFERENCE: runs("rate", 1, 1, 1)}
    bad = good | {loser: [*good[loser][:2], figures_of(replace(delivered=999))]}
    document = make_document("mixed,pub16", mixed=bad)
    for line in summarize(select("pub16"), ["native"], document.results):
        assert (line.cells["native"].value is None) == (line.row.name == "mixed")
    assert refusals(document) == [
        f"mixed subjects and sizes, 1:1: {loser}, round 3: "
        "999 messages of 16000 bytes were delivered, not 1000 of 16000"
    ]


def test_an_engine_is_not_refused_for_the_failure_of_another() -> None:
    results = {
        "mixed": {"native": runs("rate", 3), "pure": [Run(failure="recv: reset")], REFERENCE: runs("rate", 1)},
    }
    cells = summarize(MIXED, ["native", "pure"], results)[0].cells
    assert cells["native"].is_met
    assert cells["pure"].refused == "pure, round 1: recv: reset"
    assert cells["pure"].is_met is False


def test_the_order_turns_round_with_every_round() -> None:
    contenders = [Contender(name, ()) for name in "abc"]
    shown = ["".join(contender.name for contender in order(contenders, n)) for n in range(4)]
    assert shown == ["abc", "cba", "abc", "cba"]


def test_mixed_traffic_is_in_every_selection() -> None:
    assert [row.name for row in select("pub16, hit")] == ["mixed", "pub16", "hit"]
    assert select("") == ROWS


def test_a_row_that_does_not_exist_is_named() -> None:
    with pytest.raises(UsageError, match='no row "pub17"'):
        select("pub17")


def test_every_row_shows_what_it_is_held_to() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    for row in ROWS:
        held = {target.figure for targets in row.targets.values() for target in targets}
        assert held <= set(row.figures) <= FIGURES.keys()


def test_more_is_better_for_rates_only() -> None:
    assert Target("rate", 2).is_met(3)
    assert not Target("p99_us", 2).is_met(3)
