"""The way of a message: who gets it, in which form, and what is counted."""

from __future__ import annotations

from collections import Counter

import pytest

from natsctl.engine.api import Arrow, Session
from natsctl.engine.permissions import Permissions, Responses, Rule
from natsctl.errors import ClosedReason
from tests.support.rig import Client, MakeRig, Rig


def test_everybody_interested_gets_a_message_once_per_subscription(rig: Rig) -> None:
    first, second = rig.client(), rig.client()
    first.send(b"SUB foo.bar 1\r\nSUB foo.* 2\r\nSUB > 3\r\nSUB foo 4\r\n")
    second.send(b"SUB *.bar 1\r\nPUB foo.bar r 2\r\nhi\r\n")
    assert sorted(first.received()) == [b"MSG foo.bar %d r 2\r\nhi" % sid for sid in (1, 2, 3)]
    assert second.received() == [b"MSG foo.bar 1 r 2\r\nhi"]


def test_accounts_do_not_hear_each_other(rig: Rig) -> None:
    here, there = rig.client(account="A"), rig.client(account="B")
    here.send(b"SUB > 1\r\n")
    there.send(b"SUB > 1\r\nPUB foo 0\r\n\r\n")
    assert here.received() == []
    assert there.received() == [b"MSG foo 1 0\r\n"]


def test_each_queue_group_gets_one_copy_and_spreads_them_evenly(rig: Rig) -> None:
    n_messages = 3000
    members = [rig.client() for _ in range(3)]
    for member in members:
        member.send(b"SUB foo q 1\r\nSUB foo r 2\r\nSUB * q 3\r\n")
    members[0].send(b"PUB foo 0\r\n\r\n" * n_messages)
    received = [Counter(frame.split()[2] for frame in member.received()) for member in members]
    for sids, limit in (((b"2",), 32), ((b"1", b"3"), 40)):  # the name makes the group: "foo q" and "* q" are one
        counts = [count[sid] for count in received for sid in sids]
        assert sum(counts) == n_messages
        # With two or five degrees of freedom, fair dice exceed this once in ten million runs.
        expected = n_messages / len(counts)
        assert sum((count - expected) ** 2 / expected for count in counts) < limit


def test_headers_go_to_those_who_know_them_and_are_cut_off_for_others(rig: Rig) -> None:
    modern, ancient = rig.client(), rig.client(headers=False)
    ancient.send(b"SUB foo 1\r\n")
    modern.send(b"SUB foo 1\r\nHPUB foo r 012 014\r\nNATS/1.0\r\n\r\nhi\r\n")
    assert modern.received() == [b"HMSG foo 1 r 012 014\r\nNATS/1.0\r\n\r\nhi"]
    assert ancient.received() == [b"MSG foo 1 r 2\r\nhi"]
    assert (modern.session.out_bytes, ancient.session.out_bytes) == (14, 2)


def test_headers_of_no_bytes_are_none(rig: Rig) -> None:
    assert rig.client().ask(b"SUB foo 1\r\nHPUB foo 0 2\r\nhi\r\n") == [b"MSG foo 1 2\r\nhi"]


def test_messages_and_payload_bytes_are_counted_on_both_sides(rig: Rig) -> None:
    sender, receiver = rig.client(), rig.client()
    receiver.send(b"SUB foo 1\r\nSUB * 2\r\n")
    sender.send(b"PUB foo 5\r\nhello\r\nHPUB foo 4 6\r\na: bhi\r\nPUB no.body 3\r\nabc\r\n")
    assert sender.counters() == (3, 14, 0, 0)
    assert receiver.counters() == (0, 0, 4, 22)


def test_refused_messages_count_as_received(rig: Rig) -> None:
    client = rig.client(permissions=Permissions(publish_allow=[]))
    client.send(b"PUB foo 3\r\nabc\r\n")
    assert client.counters() == (1, 3, 0, 0)


def test_the_engine_tells_once_who_got_output(rig: Rig) -> None:
    sender, receiver, idle = rig.client(), rig.client(), rig.client()
    receiver.send(b"SUB foo 1\r\n")
    assert list(rig.engine.collect()) == []
    sender.send(b"PUB foo 0\r\n\r\n" * 3 + b"PING\r\n")
    touched = rig.engine.collect()
    assert sorted(session.owner for session in touched) == sorted([sender.session.owner, receiver.session.owner])
    assert list(rig.engine.collect()) == []
    assert not idle.session.has_output()


# ---- nobody there


def status(subject: bytes, sid: bytes, about: bytes) -> bytes:
    text = b"NATS/1.0 503\r\nNats-Subject: %b\r\n\r\n" % about
    return b"HMSG %b %b %d %d\r\n%b" % (subject, sid, len(text), len(text), text)


def test_a_request_that_nobody_hears_is_answered_at_once(rig: Rig) -> None:
    client = rig.client(no_responders=True)
    assert client.ask(b"SUB _INBOX.* 1\r\nPUB nobody _INBOX.a 0\r\n\r\n") == [status(b"_INBOX.a", b"1", b"nobody")]


@pytest.mark.parametrize("interest", [b"SUB somebody 2\r\n", b"SUB some* 2\r\nSUB > q 3\r\n"])
def test_a_request_that_somebody_hears_is_not(rig: Rig, interest: bytes) -> None:
    client, other = rig.client(no_responders=True, echo=False), rig.client()
    other.send(interest)
    assert client.ask(b"SUB _INBOX.* 1\r\nPUB somebody _INBOX.a 0\r\n\r\n") == []


def test_ones_own_deaf_ear_is_nobody(rig: Rig) -> None:
    client = rig.client(no_responders=True, echo=False)
    assert client.ask(b"SUB a 1\r\nSUB r 2\r\nPUB a r 0\r\n\r\n") == [status(b"r", b"2", b"a")]


@pytest.mark.parametrize("subscription", [b"", b"SUB _INBOX.* q 1\r\n", b"SUB other 1\r\n"])
def test_without_a_plain_subscription_of_ones_own_there_is_no_answer(rig: Rig, subscription: bytes) -> None:
    client, other = rig.client(no_responders=True), rig.client()
    other.send(b"SUB _INBOX.> 1\r\n")
    assert client.ask(subscription + b"PUB nobody _INBOX.a 0\r\n\r\n") == []
    assert other.received() == []


# ---- the right to answer


def service(rig: Rig, responses: Responses) -> tuple[Client[Session], Client[Session]]:
    rules = Permissions(publish_allow=[], subscribe_allow=[Rule(b"svc")], responses=responses)
    answerer, asker = rig.client(permissions=rules), rig.client()
    answerer.send(b"SUB svc 1\r\n")
    asker.send(b"SUB r.* 1\r\n")
    return answerer, asker


def test_a_request_gives_the_right_to_answer_so_many_times(rig: Rig) -> None:
    answerer, asker = service(rig, Responses(max_msgs=2, expires_s=60))
    asker.send(b"PUB svc r.1 0\r\n\r\n")
    answerer.received()
    assert answerer.ask(b"PUB r.1 0\r\n\r\n" * 3) == [b"-ERR 'Permissions Violation for Publish to \"r.1\"'"]
    assert len(asker.received()) == 2


def test_the_right_to_answer_expires(rig: Rig) -> None:
    answerer, asker = service(rig, Responses(max_msgs=0, expires_s=60))
    rig.engine.now = 1000.0
    asker.send(b"PUB svc r.1 0\r\n\r\n")
    rig.engine.now = 1059.9
    answerer.send(b"PUB r.1 0\r\n\r\n" * 5)
    assert len(asker.received()) == 5
    rig.engine.now = 1060.1
    answerer.send(b"PUB r.1 0\r\n\r\n")
    assert asker.received() == []


def test_only_what_was_asked_can_be_answered(rig: Rig) -> None:
    answerer, asker = service(rig, Responses(max_msgs=1, expires_s=0))
    asker.send(b"PUB svc 0\r\n\r\nPUB svc r.1 0\r\n\r\n")
    answerer.send(b"PUB r.2 0\r\n\r\n")
    assert asker.received() == []


def test_unanswered_requests_do_not_fill_the_memory(rig: Rig) -> None:
    answerer, asker = service(rig, Responses(max_msgs=1, expires_s=0))
    for number in range(5000):
        asker.send(b"PUB svc r.%d 0\r\n\r\n" % number)
    answerer.send(b"PUB r.0 0\r\n\r\nPUB r.4999 0\r\n\r\n")
    assert asker.received() == [b"MSG r.4999 1 0\r\n"]


# ---- slow receivers

FRAME = b"MSG foo 1 100\r\n" + b"x" * 100 + b"\r\n"
PUBLISH = b"PUB foo 100\r\n" + b"x" * 100 + b"\r\n"


def overfed(rig: Rig, n_frames: int) -> tuple[Client[Session], Client[Session]]:
    sender, receiver = rig.client(), rig.client()
    receiver.send(b"SUB foo 1\r\n")
    sender.send(PUBLISH * n_frames)
    return sender, receiver


def test_output_up_to_max_pending_is_kept_and_one_byte_more_ends_the_session(make_rig: MakeRig) -> None:
    limit = 8 * len(FRAME)
    _, receiver = overfed(make_rig(max_pending=limit), 8)
    assert receiver.session.pending_bytes == limit
    assert receiver.session.closed is None

    _, receiver = overfed(make_rig(max_pending=limit - 1), 8)
    assert receiver.session.closed is ClosedReason.SLOW_CONSUMER_PENDING_BYTES
    assert receiver.events() == [("slow consumer",)]
    assert receiver.received() == []
    assert receiver.session.pending_bytes == 0


def test_what_has_left_meanwhile_saves_a_session(make_rig: MakeRig) -> None:
    rig = make_rig(max_pending=8 * len(FRAME))
    rig.recorder.measure = lambda session: session.sent(len(session.take()))
    _, receiver = overfed(rig, 100)
    assert receiver.session.closed is None
    assert receiver.session.out_msgs == 100


def test_a_slow_consumer_does_not_hinder_others(make_rig: MakeRig) -> None:
    rig = make_rig(max_pending=4 * len(FRAME))
    sender, slow, quick = rig.client(), rig.client(), rig.client()
    for receiver in (slow, quick):
        receiver.send(b"SUB foo 1\r\n")
    received = 0
    for _ in range(10):
        sender.send(PUBLISH)
        received += len(quick.received())
    assert received == 10
    assert slow.session.closed is ClosedReason.SLOW_CONSUMER_PENDING_BYTES
    assert rig.engine.n_subscriptions() == 1


def test_ones_own_output_counts_too(make_rig: MakeRig) -> None:
    client = make_rig(max_pending=59).client()
    client.send(b"PING\r\n" * 9)
    assert client.session.closed is None
    client.send(b"PING\r\n")
    assert client.session.closed is ClosedReason.SLOW_CONSUMER_PENDING_BYTES


def test_a_sender_learns_whom_it_feeds_over_the_stall_mark(make_rig: MakeRig) -> None:
    rig = make_rig(max_pending=8 * len(FRAME))
    sender, receiver = overfed(rig, 6)
    assert not receiver.session.is_over_stall_mark()
    sender.send(PUBLISH)
    assert receiver.session.is_over_stall_mark()
    assert list(sender.session.take_stalled()) == []
    sender.send(PUBLISH)
    assert list(sender.session.take_stalled()) == [receiver.session]
    assert list(sender.session.take_stalled()) == []
    assert sender.session.stalls == 1
    receiver.received()
    assert not receiver.session.is_over_stall_mark()


def test_messages_over_the_stall_mark_are_dropped_if_so_configured(make_rig: MakeRig) -> None:
    rig = make_rig(max_pending=8 * len(FRAME), drop_instead_of_stall=True)
    sender, receiver = overfed(rig, 100)
    assert receiver.session.closed is None
    assert len(receiver.received()) == 7
    assert sender.session.stalls == 0
    assert receiver.session.out_msgs == 7


def test_a_full_queue_member_leaves_messages_to_another_if_so_configured(make_rig: MakeRig) -> None:
    rig = make_rig(max_pending=8 * len(FRAME), drop_instead_of_stall=True)
    sender, slow, quick = rig.client(), rig.client(), rig.client()
    for member in (slow, quick):
        member.send(b"SUB foo q 1\r\n")
    received = 0
    for _ in range(200):
        sender.send(PUBLISH)
        received += len(quick.received())
    assert received + len(slow.received()) == 200


# ---- tracing


def test_a_traced_session_tells_every_line_and_payload(rig: Rig) -> None:
    client = rig.client(verbose=True)
    client.session.tracing = True
    client.send(b"SUB foo 1\r\nUNSUB 1 1\r\nHPUB foo 4 6\r\na: bhi\r\nPING\r\nPONG\r\nPUB .. 0\r\n\r\n")
    assert client.events() == [
        (Arrow.IN, b"SUB", b"foo 1"),
        (Arrow.OUT, b"OK", b""),
        (Arrow.IN, b"UNSUB", b"1 1"),
        (Arrow.OUT, b"OK", b""),
        (Arrow.IN, b"HPUB", b"foo 4 6"),
        (Arrow.IN, b"a: bhi", 4),
        (Arrow.OUT, b"OK", b""),
        (Arrow.INTERNAL, b"DELSUB", b"1"),
        (Arrow.OUT, b"HMSG", b"foo 1 4 6"),
        (Arrow.OUT, b"a: bhi", 4),
        (Arrow.IN, b"PING", b""),
        (Arrow.OUT, b"PONG", b""),
        (Arrow.IN, b"PONG", b""),
        ("pong",),
        (Arrow.IN, b"PUB", b".. 0"),
        (Arrow.OUT, b"OK", b""),
    ]
    client.session.tracing = False
    assert not client.session.tracing


def test_tracing_changes_nothing_on_the_wire(rig: Rig) -> None:
    dialogue = b"SUB foo 1\r\nPUB foo 2\r\nhi\r\nHPUB foo 4 6\r\na: bhi\r\nSUB .. 2\r\nPUB foo x\r\n"
    plain, traced = rig.client(account="A"), rig.client(account="B")
    traced.session.tracing = True
    assert traced.ask(dialogue) == plain.ask(dialogue)
    assert traced.counters() == plain.counters()


# ---- inside the broker


def test_an_internal_session_hears_and_is_heard(rig: Rig) -> None:
    inside, client = rig.engine.open_internal("$G"), rig.client()
    inside.subscribe(b"svc.*")
    client.send(b"SUB r 1\r\nHPUB svc.a r 4 6\r\na: bhi\r\n")
    assert list(rig.engine.collect_internal()) == [inside]
    assert list(rig.engine.collect_internal()) == []
    (request,) = inside.take()
    assert request == (b"svc.a", b"r", b"a: b", b"hi", client.session)
    assert inside.take() == []
    assert inside.publish(b"r", b"answer", reply=b"x") == 1
    assert inside.publish(b"r", b"answer", header=b"h: v") == 1
    assert inside.publish(b"nobody", b"") == 0
    assert client.received() == [b"MSG r 1 x 6\r\nanswer", b"HMSG r 1 4 10\r\nh: vanswer"]


def test_an_internal_session_stays_in_its_account(rig: Rig) -> None:
    inside, client = rig.engine.open_internal("A"), rig.client(account="B")
    inside.subscribe(b">")
    client.send(b"SUB > 1\r\nPUB foo 0\r\n\r\n")
    assert inside.take() == []
    assert inside.publish(b"foo", b"") == 1
    assert [delivery.source for delivery in inside.take()] == [None]


def test_an_internal_session_can_be_one_of_a_queue_group(rig: Rig) -> None:
    inside, client = rig.engine.open_internal("$G"), rig.client()
    inside.subscribe(b"foo", b"q")
    client.send(b"SUB foo q 1\r\n" + b"PUB foo 0\r\n\r\n" * 100)
    assert len(inside.take()) + len(client.received()) == 100
