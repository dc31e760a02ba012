from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.document import read, write
from benchmarks.generator import Outcome
from benchmarks.readme import BEGIN, END, README, rewrite
from benchmarks.rounds import Run
from benchmarks.servers import REFERENCE
from benchmarks.tables import markdown, plain
from natsctl.errors import BenchError
from tests.unit.benchmarks.conftest import MakeDocument, runs

LOST = {"native": [Run(failure="999 messages, not 1000")], REFERENCE: runs("rate", 1)}


def row_of(table: str, start: str) -> str:
    return next(line for line in table.splitlines() if line.startswith(start))


def test_a_row_shows_the_reference_the_ratio_its_spread_the_target_and_what_became_of_it(
    make_document: MakeDocument,
) -> None:
    mixed = {"native": runs("rate", 3.1e6, 6.4e6, 3e6), REFERENCE: runs("rate", 1e6, 2e6, 1e6)}
    row = row_of(plain(make_document(mixed=mixed)), "mixed")
    assert row.split("  ")[0] == "mixed subjects and sizes, 1:1"
    for part in ("1.00 M/s", "3.10x (3.00..3.20)", "≥ 3x", "met"):
        assert part in row


def test_a_missed_target_is_shouted_and_counted(make_document: MakeDocument) -> None:
    table = plain(make_document())
    assert row_of(table, "mixed").endswith("MISSED")
    assert "0 of 2 targets are met; missed: native mixed rate, native mixed CPU per message" in table


def test_a_refused_row_shows_no_number_of_ours(make_document: MakeDocument) -> None:
    row = row_of(plain(make_document(mixed=LOST)), "mixed")
    assert "REFUSED" in row
    assert "(" not in row


def test_the_columns_stand_below_each_other(make_document: MakeDocument) -> None:
    lines = plain(make_document("mixed,pub16,one128", engines=("native", "pure"))).splitlines()
    at = lines[0].index("native  ")
    assert all(line[at - 2 : at] == "  " and line[at] != " " for line in lines[: lines.index("")])


def test_a_generator_without_time_to_spare_is_told(make_document: MakeDocument) -> None:
    busy = Outcome(1, 1, 1, 1, 1, 1.0, 1.0, 0.95, 0.0, 0.0, 0, 0)
    mixed = {"native": [Run({"rate": 1.0, "cpu_us": 1.0}, outcome=busy)], REFERENCE: runs("rate", 1)}
    assert "the load generator was the limit: mixed, native" in plain(make_document(mixed=mixed))
    assert "limit:" not in plain(make_document())


def test_a_result_is_read_as_it_was_written(make_document: MakeDocument, tmp_path: Path) -> None:
    document = make_document("mixed,pub16", mixed=LOST)
    write(document, tmp_path / "result.json")
    assert read(tmp_path / "result.json") == document


def test_only_what_is_between_the_marks_is_rewritten(make_document: MakeDocument) -> None:
    document = make_document()
    text = rewrite(f"before\n{BEGIN}\nold figures\n{END}\nafter\n", document)
    assert text == f"before\n{BEGIN}\n{markdown(document)}\n{END}\nafter\n"
    assert rewrite(text, document) == text


@pytest.mark.parametrize("text", ["", BEGIN, f"{END}{BEGIN}", f"{BEGIN}{END}{END}", f"{BEGIN}{BEGIN}{END}"])
def test_a_readme_without_its_marks_is_left_alone(text: str, make_document: MakeDocument) -> None:
    with pytest.raises(BenchError, match="once each"):
        rewrite(text, make_document())


def test_a_refused_row_is_not_published(make_document: MakeDocument) -> None:
    with pytest.raises(BenchError, match="not published"):
        rewrite(f"{BEGIN}{END}", make_document(mixed=LOST))


def test_the_readme_has_its_marks(make_document: MakeDocument) -> None:
    assert "| mixed subjects and sizes, 1:1: rate |" in rewrite(README.read_text("utf-8"), make_document())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "pub17"], 'no row "pub17"'),
        (["--engines", "warp"], 'no engine "warp"'),
        (["--readme", "no-such-file.json"], "cannot read the result no-such-file.json"),
    ],
)
def test_a_wrong_command_line_is_told_before_anything_runs(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--seconds", "0"], ["--seconds", "nan"]])
def test_a_run_of_no_length_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
