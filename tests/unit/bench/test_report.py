from __future__ import annotations

from collections import Counter

import pytest

from natsctl.bench.compare import compare, differences
from natsctl.bench.conductor import Course
from natsctl.bench.document import encode, make_document, read_document
from natsctl.bench.histogram import Latencies
from natsctl.bench.ledger import Arrivals
from natsctl.bench.outcome import Outage, Outcome, Role
from natsctl.bench.plan import Plan
from natsctl.bench.report import classic_csv, classic_report, details
from natsctl.bench.result import Result, evaluate
from natsctl.errors import UsageError


def client(role: Role, index: int, n_msgs: int, start_us: int, end_us: int, **more: object) -> Outcome:
    outcome = Outcome(role, index, size=n_msgs * 16, n_msgs=n_msgs, start_us=start_us, end_us=end_us)
    outcome.last_sent_us = end_us
    for name, value in more.items():
        setattr(outcome, name, value)
    return outcome


def result(*outcomes: Outcome, busy: dict[Role, float] | None = None, **plan: object) -> Result:
    n_publishers = sum(outcome.role.offers for outcome in outcomes)
    made = Plan("hi", n_publishers, len(outcomes) - n_publishers, size=16, run_id=10, **plan)  # type: ignore[arg-type]
    return evaluate(made, Course(outcomes=list(outcomes), busy=busy or {}))


def test_publishers_alone_are_reported_as_nats_bench_does() -> None:
    one, two = (client(Role.PUBLISHER, index, 500_000, 0, 1_000_000 + index * 250_000) for index in range(2))
    assert classic_report(result(one, two)) == (
        "Pub stats: 800,000 msgs/sec ~ 12.21 MB/sec\n"
        " [1] 500,000 msgs/sec ~ 7.63 MB/sec (500000 msgs)\n"
        " [2] 400,000 msgs/sec ~ 6.10 MB/sec (500000 msgs)\n"
        " min 400,000 | avg 450,000 | max 500,000 | stddev 50,000 msgs"
    )


def test_both_kinds_are_reported_together_and_apart() -> None:
    publisher = client(Role.PUBLISHER, 0, 10, 0, 500_000)
    subscriber = client(Role.SUBSCRIBER, 0, 10, 100_000, 1_000_000)
    assert classic_report(result(publisher, subscriber)) == (
        "NATS Pub/Sub stats: 20 msgs/sec ~ 320.00 B/sec\n"
        " Pub stats: 20 msgs/sec ~ 320.00 B/sec\n"
        " Sub stats: 11 msgs/sec ~ 177.78 B/sec"
    )


def test_the_csv_has_the_classic_columns_subscribers_first() -> None:
    publisher = client(Role.PUBLISHER, 0, 10, 0, 500_000)
    subscriber = client(Role.SUBSCRIBER, 0, 10, 100_000, 1_000_000)
    assert classic_csv(result(publisher, subscriber)) == (
        "#RunID,ClientID,MsgCount,MsgBytes,MsgsPerSec,BytesPerSec,DurationSecs\n"
        "00000a,S0,10,160,11,177.777778,0.900000\n"
        "00000a,P0,10,160,20,320.000000,0.500000\n"
    )


def test_losses_and_duplicates_are_told_apart_for_each_subscriber() -> None:
    publisher = client(Role.PUBLISHER, 0, 4, 0, 10)
    whole = client(Role.SUBSCRIBER, 0, 5, 0, 10, arrivals={0: Arrivals(0, {0: 0b1111})})
    lossy = client(Role.SUBSCRIBER, 1, 2, 0, 10, arrivals={0: Arrivals(0, {0: 0b1001})}, n_reordered=1)
    books = result(publisher, whole, lossy, is_stamped=True).accounting
    assert (books.offered, books.expected, books.delivered) == (4, 8, 7)
    assert (books.lost, books.duplicated, books.reordered) == (2, 1, 1)


def test_a_queue_group_gets_every_message_once_between_its_members() -> None:
    publisher = client(Role.PUBLISHER, 0, 4, 0, 10)
    one = client(Role.SUBSCRIBER, 0, 2, 0, 10, arrivals={0: Arrivals(0, {0: 0b0011})})
    two = client(Role.SUBSCRIBER, 1, 2, 0, 10, arrivals={0: Arrivals(0, {0: 0b0110})})
    books = result(publisher, one, two, queue="q", is_stamped=True).accounting
    assert (books.expected, books.lost, books.duplicated) == (4, 1, 1)


def test_without_stamps_what_cannot_be_known_is_not_claimed() -> None:
    books = result(client(Role.PUBLISHER, 0, 4, 0, 10), client(Role.SUBSCRIBER, 0, 3, 0, 10)).accounting
    assert (books.lost, books.duplicated, books.reordered) == (1, None, None)


def test_the_steady_state_leaves_out_ramp_and_drain() -> None:
    slots = Counter({0: 5, 1: 10, 2: 10, 3: 10, 4: 5})
    publisher = client(Role.PUBLISHER, 0, 40, 50_000, 420_000, slots=slots)
    late = Counter({1: 5, 2: 10, 3: 10, 4: 10, 5: 5})
    subscriber = client(Role.SUBSCRIBER, 0, 40, 150_000, 550_000, slots=late)
    steady = result(publisher, subscriber).steady
    assert steady is not None
    assert (steady.start_s, steady.end_s) == (0.2, 0.4)
    assert (steady.published_per_s, steady.delivered_per_s) == (100, 100)
    assert (steady.published_spread, steady.delivered_spread) == (0, 0)


def test_a_generator_without_rest_says_that_it_may_be_the_limit() -> None:
    publisher = client(Role.PUBLISHER, 0, 1000, 0, 1_000_000)
    assert "publishers were busy 95%" in result(publisher, busy={Role.PUBLISHER: 0.95}).limits[0]
    assert not result(publisher, busy={Role.PUBLISHER: 0.5}).limits
    assert not result(publisher, busy={Role.PUBLISHER: 0.95}, rate=1000).limits  # it did what was asked for


def test_a_rate_that_was_not_reached_is_told() -> None:
    assert "1,000 msgs/sec were offered, not the 2,000" in " ".join(
        result(client(Role.PUBLISHER, 0, 1000, 0, 1_000_000), rate=2000).limits
    )


def test_an_outage_is_told_with_its_length() -> None:
    publisher = client(Role.PUBLISHER, 2, 10, 0, 1_000_000, outages=[Outage(200_000, "reset", 700_000)])
    assert "Outage: publisher 3 lost its connection at 200ms (reset), was back after 500ms" in details(
        result(publisher)
    )


def test_unanswered_requests_are_counted() -> None:
    lines = details(result(client(Role.REQUESTER, 0, 8, 0, 10, n_offered=10), is_request=True))
    assert any(line.startswith("Messages: asked 10 | answered 8 | unanswered 2") for line in lines)


def documented(n_msgs: int, latency_us: int) -> Result:
    latencies = Latencies()
    latencies.add(latency_us, 100)
    slots = Counter({slot: n_msgs // 10 + slot % 2 for slot in range(10)})
    publisher = client(Role.PUBLISHER, 0, n_msgs, 0, 1_000_000, slots=slots)
    subscriber = client(
        Role.SUBSCRIBER,
        0,
        n_msgs,
        0,
        1_000_000,
        slots=slots,
        latencies=latencies.encode(),
        arrivals={0: Arrivals(n_msgs, {})},
    )
    return result(publisher, subscriber, is_stamped=True)


def test_a_document_is_read_back_and_compared(tmp_path: object) -> None:
    file = f"{tmp_path}/before.json"
    with open(file, "w") as stream:
        stream.write(encode(make_document(documented(1000, 500))))
    before, now = read_document(file), make_document(documented(1100, 400))
    changes = {change.name: str(change) for change in compare(before, now)}
    assert changes["publishers, whole run"] == "publishers, whole run: 1,000 msgs/sec -> 1,100 msgs/sec, +10.0%"
    assert "+10.0% (spread ±" in changes["delivered, steady state"]
    assert changes["latency P50"] == "latency P50: 500µs -> 400µs, -20.0%"
    assert differences(before.setting, now.setting) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "other"}'])
def test_what_is_no_document_is_refused(text: str, tmp_path: object) -> None:
    file = f"{tmp_path}/before.json"
    with open(file, "w") as stream:
        stream.write(text)
    with pytest.raises(UsageError, match="no result of natsctl bench --json"):
        read_document(file)


def test_a_document_of_another_version_is_refused(tmp_path: object) -> None:
    file = f"{tmp_path}/before.json"
    document = make_document(documented(10, 5))
    document.version = 99
    with open(file, "w") as stream:
        stream.write(encode(document))
    with pytest.raises(UsageError, match=r"holds natsctl\.bench version 99, only"):
        read_document(file)
