from __future__ import annotations

import math

import pytest

from natsctl.bench.plan import Login, Plan, shares
from natsctl.errors import UsageError


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan("hi", n_msgs=0), "number of messages should be greater than zero"),
        (Plan("hi", n_msgs=-5), "number of messages should be greater than zero"),
        (Plan("hi", n_publishers=3, n_msgs=2), "3 publishers are more than 2 messages"),
        (Plan("hi", n_publishers=0), "nothing to report"),
        (Plan("hi", n_publishers=-1), "cannot be negative"),
        (Plan("hi", size=-1), "message size -1 is negative"),
        (Plan("hi", size=10**9), "1000000000 bytes in a message are more than 67108864"),
        (Plan("hi", size=65536, n_subjects=100_000), "6553600000 bytes in messages for all subjects are more than"),
        (Plan("hi", rate=-1), "rate -1 is not a number of messages per second"),
        (Plan("hi", rate=math.nan), "rate nan is not a number"),
        (Plan("hi", rate=math.inf, n_msgs=0, duration_s=1), "rate inf is not a number"),
        (Plan("hi", n_publishers=0, n_subscribers=1, rate=5), "rate 5 needs a publisher"),
        (Plan("hi", n_publishers=0, n_subscribers=1, headers=b"NATS/1.0\r\n\r\n"), "headers need a publisher"),
        (Plan("hi", n_publishers=0, n_subscribers=1, is_random=True), "a payload needs a publisher"),
        (Plan("hi", queue="workers"), 'queue group "workers" needs a subscriber'),
        (Plan("hi", in_flight=4), "4 in flight means requests"),
        (Plan("hi", n_publishers=100_000), "100000 publishers are more than 65536"),
        (Plan("hi", n_subjects=2_000_000), "2000000 subjects are more than 1000000"),
        (Plan("hi", n_publishers=0, n_subscribers=1, is_request=True), "requests need a publisher"),
        (Plan("hi", size=8, is_stamped=True), "8 bytes cannot be stamped, which takes 16"),
        (Plan("a..b"), 'invalid subject "a..b"'),
        (Plan("a.*"), "has a wildcard"),
        (Plan("a b"), "invalid subject"),
        (Plan("a", queue="b c"), 'invalid queue group "b c"'),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_meant_is_refused_by_its_value(plan: Plan, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        plan.check()


def test_subscribers_alone_may_use_wildcards() -> None:
    Plan("a.>", n_publishers=0, n_subscribers=2).check()


def test_the_first_ones_get_what_cannot_be_shared_equally() -> None:
    assert shares(11, 3) == [4, 4, 3]


def test_a_rate_and_a_duration_make_a_number_of_messages() -> None:
    assert Plan("hi", n_msgs=0, rate=100, duration_s=2.5).n_planned == 250
    assert Plan("hi", n_msgs=10, rate=100, duration_s=2.5).n_planned == 10
    assert Plan("hi", n_msgs=0, duration_s=2.5).n_planned == 0


def test_secrets_are_not_shown() -> None:
    login = Login("user", "p4ss", "t0ken", "j.w.t", "SUSEED")
    assert not any(secret in repr(login) for secret in ("p4ss", "t0ken", "j.w.t", "SUSEED"))
