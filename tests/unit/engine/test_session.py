"""What one client can say, and what it gets back."""

from __future__ import annotations

import pytest

from natsctl.engine.api import Grant, Session, SubscriptionView
from natsctl.engine.permissions import Permissions, Rule
from natsctl.errors import ClosedReason, WireError
from tests.support.rig import MakeRig, Rig, quiet

UNKNOWN = b"-ERR 'Unknown Protocol Operation'"


def test_a_client_that_must_not_connect_talks_as_over_telnet(rig: Rig) -> None:
    client = rig.client(verbose=True)
    assert client.ask(b"SUB foo 1\r\nPUB foo 5\r\nhello\r\nPING\r\n") == [
        b"+OK",
        b"+OK",
        b"MSG foo 1 5\r\nhello",
        b"PONG",
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"SUB foo 1\nPUB foo 5\nhello\r\n",
        b"sub foo 1\r\npub foo 5\r\nhello\r\n",
        b"SuB\tfoo \t 1 \r\nPuB  foo\t5  \r\nhello\r\n",
        b"SUB foo 1\r\n+OK\r\nPONG\r\nINFO {}\r\nPUB foo 5\r\nhello\r\n",
        b"SUB foo 1\r\nPINGanything\r\nPUB foo 5\r\nhello\r\n",
    ],
)
def test_case_blanks_line_ends_and_what_servers_say_are_tolerated(rig: Rig, data: bytes) -> None:
    frames = rig.client().ask(data)
    assert [frame for frame in frames if frame != b"PONG"] == [b"MSG foo 1 5\r\nhello"]


def test_a_payload_may_hold_anything(rig: Rig) -> None:
    payload = bytes(range(256)) + b"\r\nPUB foo 1\r\n"
    assert rig.client().ask(b"SUB foo 1\r\nPUB foo %d\r\n%b\r\n" % (len(payload), payload)) == [
        b"MSG foo 1 %d\r\n%b" % (len(payload), payload)
    ]


def test_a_size_goes_out_as_it_was_written(rig: Rig) -> None:
    client = rig.client()
    assert client.ask(b"SUB foo 1\r\nPUB foo bar 002\r\nhi\r\nHPUB foo 003 05\r\nh:vhi\r\n") == [
        b"MSG foo 1 bar 002\r\nhi",
        b"HMSG foo 1 003 05\r\nh:vhi",
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01",
        b"\r\n",
        b" PING\r\n",
        b"MSG foo 1 0\r\n",
        b"RS+ $G foo\r\n",
        b"PUT",
        b"\0",
    ],
)
def test_what_no_client_says_is_answered_and_ends_the_session_at_once(rig: Rig, data: bytes) -> None:
    client = rig.client()
    assert client.ask(b"PING\r\n" + data) == [b"PONG", UNKNOWN]
    assert client.session.closed is ClosedReason.PROTOCOL_VIOLATION
    assert client.ask(b"PING\r\n") == []


@pytest.mark.parametrize("ending", [b"x\r\n", b"\rx", b"\n", b"\n\n"])
def test_a_payload_ends_with_cr_and_lf_exactly(rig: Rig, ending: bytes) -> None:
    client = rig.client()
    assert client.ask(b"SUB foo 1\r\nPUB foo 2\r\nhi" + ending) == [UNKNOWN]


@pytest.mark.parametrize(
    "line",
    [
        b"PUB foo",
        b"PUB a b c 1",
        b"PUB foo x",
        b"SUB foo",
        b"SUB a b c d",
        b"UNSUB 1 2 3",
        b"HPUB foo 1",
        b"HPUB f 2 1",
    ],
)
def test_ill_formed_arguments_close_without_a_word(rig: Rig, line: bytes) -> None:
    client = rig.client()
    assert client.ask(line + b"\r\n") == []
    assert client.session.closed is ClosedReason.PROTOCOL_VIOLATION
    ((event, reason, wire, log),) = client.events()
    assert (event, reason, wire) == ("error", ClosedReason.PROTOCOL_VIOLATION, None)
    assert line.partition(b" ")[2].decode() in log


def test_an_error_from_the_client_closes_without_a_word(rig: Rig) -> None:
    client = rig.client()
    assert client.ask(b"-ERR 'too bad'\r\n") == []
    assert client.events() == [("error", ClosedReason.PARSE_ERROR, None, "Client Error 'too bad'")]


# ---- limits


def test_a_control_line_may_be_as_long_as_the_limit(make_rig: MakeRig) -> None:
    client = make_rig(max_control_line=20).client()
    assert client.ask(b"SUB " + b"a" * 18 + b" 1\r\n") == []
    assert client.session.closed is None
    assert client.ask(b"SUB " + b"a" * 19 + b" 1\r\n") == [b"-ERR 'maximum control line exceeded'"]
    assert client.session.closed is ClosedReason.MAX_CONTROL_LINE_EXCEEDED


@pytest.mark.parametrize("line", [b"PUB ", b"SUB a", b"PING", b"CONNECT {", b"INFO ", b"-ERR ", b"+OK", b"HMSG "])
def test_a_line_that_never_ends_is_refused(make_rig: MakeRig, line: bytes) -> None:
    client = make_rig(max_control_line=100).client()
    client.send(line)
    for _ in range(200):
        client.send(b"x")
    assert client.received() == [b"-ERR 'maximum control line exceeded'"]


@pytest.mark.parametrize("line", [b"PUB foo 11", b"HPUB foo 1 11"])
def test_a_payload_over_the_limit_is_refused_before_it_comes(rig: Rig, line: bytes) -> None:
    client = rig.client(max_payload=10)
    assert client.ask(line + b"\r\n") == [b"-ERR 'Maximum Payload Violation'"]
    assert client.events() == [
        (
            "error",
            ClosedReason.MAX_PAYLOAD_EXCEEDED,
            "Maximum Payload Violation",
            "maximum payload exceeded: 11 vs 10",
        )
    ]


def test_a_payload_of_the_limit_passes_and_without_limit_any(rig: Rig) -> None:
    data = b"SUB foo 1\r\nPUB foo 10\r\n0123456789\r\n"
    assert len(rig.client(max_payload=10).ask(data)) == 1
    assert len(rig.client(max_payload=-1).ask(data)) == 1


def test_subscriptions_beyond_the_limit_are_refused_and_the_session_goes_on(rig: Rig) -> None:
    client = rig.client(max_subscriptions=2)
    error = b"-ERR 'maximum subscriptions exceeded'"
    assert client.ask(b"SUB a 1\r\nSUB b 2\r\nSUB c 3\r\n") == [error]
    assert client.ask(b"UNSUB 1\r\nSUB c 3\r\nPING\r\n") == [b"PONG"]
    assert client.events() == [("violation", "maximum subscriptions exceeded")]


def test_subjects_of_too_many_tokens_are_refused(make_rig: MakeRig) -> None:
    client = make_rig(max_sub_tokens=2).client()
    assert client.ask(b"SUB a.b 1\r\nSUB a.b.c 2\r\nPING\r\n") == [
        b"-ERR 'Permissions Violation for Subscription to \"a.b.c\", too many tokens'",
        b"PONG",
    ]
    assert client.events() == [("violation", 'Subscription Violation Too Many Tokens - Subject "a.b.c", SID 2')]


# ---- subscriptions


def test_invalid_subjects_cannot_be_subscribed(rig: Rig) -> None:
    client = rig.client()
    assert client.ask(b"SUB foo..bar 1\r\nSUB .a 2\r\nSUB >.a 3\r\n") == [b"-ERR 'Invalid Subject'"] * 3
    assert client.session.n_subscriptions == 0


def test_a_sid_taken_again_keeps_its_first_subscription(rig: Rig) -> None:
    client = rig.client(verbose=True)
    assert client.ask(b"SUB foo 1\r\nSUB bar 1\r\n") == [b"+OK", b"+OK"]
    assert [view.subject for view in client.session.subscriptions()] == [b"foo"]


def test_subscriptions_can_be_looked_at(rig: Rig) -> None:
    client = rig.client()
    client.ask(b"SUB a 1\r\nSUB b q 2\r\nUNSUB 1 5\r\nPUB a 0\r\n\r\n")
    assert list(client.session.subscriptions()) == [
        SubscriptionView(b"a", None, b"1", 1, 5),
        SubscriptionView(b"b", b"q", b"2", 0, 0),
    ]
    assert rig.engine.n_subscriptions() == rig.engine.n_subscriptions("$G") == client.session.n_subscriptions == 2
    assert rig.engine.n_subscriptions("other") == 0


@pytest.mark.parametrize(
    ("before", "max_msgs", "after", "received"),
    [(0, b"", 3, 0), (2, b"", 3, 2), (0, b" 2", 5, 2), (1, b" 2", 5, 2), (2, b" 2", 5, 2), (3, b" 2", 5, 3)],
)
def test_unsub_with_max_counts_from_the_first_message(
    rig: Rig, before: int, max_msgs: bytes, after: int, received: int
) -> None:
    client = rig.client()
    client.send(b"SUB foo 1\r\n" + b"PUB foo 0\r\n\r\n" * before)
    client.send(b"UNSUB 1" + max_msgs + b"\r\n" + b"PUB foo 0\r\n\r\n" * after)
    assert len(client.received()) == received
    assert client.session.n_subscriptions == 0


@pytest.mark.parametrize("line", [b"UNSUB 7\r\n", b"UNSUB 7 x\r\n"])
def test_unsub_of_nothing_is_fine(rig: Rig, line: bytes) -> None:
    assert rig.client(verbose=True).ask(line) == [b"+OK"]


def test_a_later_max_replaces_an_earlier_one(rig: Rig) -> None:
    client = rig.client()
    assert len(client.ask(b"SUB foo 1\r\nUNSUB 1 5\r\nUNSUB 1 1\r\n" + b"PUB foo 0\r\n\r\n" * 3)) == 1


def test_a_closed_session_leaves_no_subscription(rig: Rig) -> None:
    client, other = rig.client(), rig.client()
    client.send(b"SUB foo 1\r\nSUB > q 2\r\n")
    client.session.close(ClosedReason.CLIENT_CLOSED)
    client.session.close(ClosedReason.STALE_CONNECTION)
    other.send(b"PUB foo 0\r\n\r\n")
    assert client.session.closed is ClosedReason.CLIENT_CLOSED
    assert rig.engine.n_subscriptions() == 0
    assert client.received() == []


# ---- modes


def test_verbose_sessions_get_ok_before_what_they_caused(rig: Rig) -> None:
    client = rig.client(verbose=True)
    assert client.ask(b"SUB foo 1\r\nHPUB foo 0 1\r\nx\r\nUNSUB 1\r\nPING\r\nPONG\r\n+OK\r\nINFO {}\r\n") == [
        b"+OK",
        b"+OK",
        b"MSG foo 1 1\r\nx",
        b"+OK",
        b"PONG",
    ]


def test_pedantic_sessions_are_told_of_invalid_subjects_and_the_message_goes_on(rig: Rig) -> None:
    client = rig.client(pedantic=True)
    error = b"-ERR 'Invalid Publish Subject'"
    assert client.ask(b"SUB foo.* 1\r\nPUB foo.* 1\r\nx\r\nPUB foo 0\r\n\r\nPUB foo..a 0\r\n\r\n") == [
        error,
        b"MSG foo.* 1 1\r\nx",
        error,
    ]


def test_without_echo_a_session_does_not_hear_itself(rig: Rig) -> None:
    client, other = rig.client(echo=False), rig.client()
    other.send(b"SUB foo 1\r\n")
    assert client.ask(b"SUB foo 1\r\nPUB foo 0\r\n\r\n") == []
    assert other.received() == [b"MSG foo 1 0\r\n"]
    other.send(b"PUB foo 0\r\n\r\n")
    assert client.received() == [b"MSG foo 1 0\r\n"]


def test_hpub_without_headers_closes_without_a_word(rig: Rig) -> None:
    client = rig.client(headers=False)
    assert client.ask(b"HPUB foo 0 0\r\n\r\n") == []
    assert client.events() == [("error", ClosedReason.PROTOCOL_VIOLATION, None, "message headers not supported")]


# ---- CONNECT


def test_a_stranger_must_connect_first(rig: Rig) -> None:
    client = rig.stranger()

    def refuse(session: Session) -> None:
        session.fail(WireError(ClosedReason.AUTHENTICATION_FAILURE, wire="Authorization Violation"))

    rig.recorder.answer_unauthenticated = refuse
    assert client.ask(b"PING\r\nSUB foo 1\r\n") == [b"-ERR 'Authorization Violation'"]
    assert not client.session.granted


def test_a_stranger_may_become_somebody_with_its_first_verb(rig: Rig) -> None:
    client = rig.stranger()
    assert client.ask(b"SUB foo 1\r\nPING\r\n") == [b"PONG"]
    assert [event[0] for event in client.events()] == ["unauthenticated", "ping"]
    assert client.session.granted


@pytest.mark.parametrize("line", [b"CONNECT {}\r\n", b"connect {}\n", b"CONNECT\t {}\r\n"])
def test_connect_is_handed_to_the_broker(rig: Rig, line: bytes) -> None:
    client = rig.stranger()
    client.send(line)
    assert client.events() == [("connect", b"{}")]


def test_input_behind_a_connect_is_held_until_the_answer(rig: Rig) -> None:
    client = rig.stranger()
    rig.recorder.answer = lambda session, document: None
    assert client.ask(b"CONNECT {}\r\nPING\r\nSUB foo 1\r\nPUB foo 2\r\nh") == []
    assert client.session.held
    client.session.grant(quiet(verbose=True))
    assert not client.session.held
    assert client.received() == [b"+OK", b"PONG", b"+OK"]
    assert client.ask(b"i\r\n") == [b"+OK", b"MSG foo 1 2\r\nhi"]


def test_a_refused_connect_ends_the_session_and_what_was_held(rig: Rig) -> None:
    client = rig.stranger()
    rig.recorder.answer = lambda session, document: session.fail(
        WireError(ClosedReason.AUTHENTICATION_FAILURE, wire="No")
    )
    assert client.ask(b"CONNECT {}\r\nPING\r\n") == [b"-ERR 'No'"]
    assert not client.session.held


def test_the_first_connect_keeps_subscriptions_and_a_later_one_drops_them(rig: Rig) -> None:
    client = rig.client()
    client.send(b"SUB foo 1\r\nCONNECT {}\r\n")
    assert client.session.n_subscriptions == 1
    client.send(b"CONNECT {}\r\n")
    assert client.session.n_subscriptions == rig.engine.n_subscriptions() == 0


def test_a_connect_may_lead_into_another_account(rig: Rig) -> None:
    client, other = rig.stranger(), rig.client(account="A")
    rig.recorder.answer = lambda session, document: session.grant(quiet(account=document.decode()))
    other.send(b"SUB foo 1\r\n")
    client.send(b"CONNECT B\r\nPUB foo 0\r\n\r\n")
    assert other.received() == []
    client.send(b"CONNECT A\r\nPUB foo 0\r\n\r\n")
    assert other.received() == [b"MSG foo 1 0\r\n"]
    assert client.session.account == "A"


def test_only_the_first_ping_after_the_first_connect_is_told(rig: Rig) -> None:
    client = rig.client()
    client.send(b"PING\r\nCONNECT {}\r\nPING\r\nPING\r\nCONNECT {}\r\nPING\r\nPONG\r\n")
    assert [event[0] for event in client.events()] == ["connect", "ping", "connect", "pong"]
    assert client.session.pings == 4


# ---- permissions


def test_violations_are_told_and_the_session_goes_on(rig: Rig) -> None:
    rules = Permissions(publish_deny=[b"p"], subscribe_deny=[Rule(b"s")])
    client = rig.client(permissions=rules, verbose=True)
    assert client.ask(b"PUB p 1\r\nx\r\nSUB s 1\r\nSUB s q 2\r\nPUB ok 0\r\n\r\n") == [
        b"-ERR 'Permissions Violation for Publish to \"p\"'",
        b"-ERR 'Permissions Violation for Subscription to \"s\"'",
        b'-ERR \'Permissions Violation for Subscription to "s" using queue "q"\'',
        b"+OK",
    ]
    assert [event[1] for event in client.events()] == [
        'Publish Violation - Subject "p"',
        'Subscription Violation - Subject "s", SID 1',
        'Subscription Violation - Subject "s", Queue: "q", SID 2',
    ]


def test_no_byte_of_a_subject_leaves_its_quotes(rig: Rig) -> None:
    client = rig.client(permissions=Permissions(publish_allow=[]))
    (frame,) = client.ask(b"PUB a'\"\x1b\xff\r 0\r\n\r\n")
    assert frame == rb"""-ERR 'Permissions Violation for Publish to "a'\"\x1b\xff\r"'"""


@pytest.mark.parametrize("subject", [b"_GR_.a.b", b"$GR.a", b"$NRG.x"])
def test_subjects_of_servers_cannot_be_published(rig: Rig, subject: bytes) -> None:
    other, client = rig.client(), rig.client()
    other.send(b"SUB > 1\r\n")
    assert client.ask(b"PUB %b 0\r\n\r\n" % subject) == [
        b"-ERR 'Permissions Violation for Publish to \"%b\"'" % subject
    ]
    assert other.received() == []


@pytest.mark.parametrize("reply", [b"_R_.a", b"_GR_.a", b"$GR.a", b"$JS.ACK.a"])
def test_replies_of_servers_cannot_be_asked_for(rig: Rig, reply: bytes) -> None:
    error = b"-ERR 'Permissions Violation for Publish with Reply of \"%b\"'" % reply
    assert rig.client().ask(b"PUB a %b 0\r\n\r\n" % reply) == [error]


def test_denied_subjects_are_kept_from_an_admitted_pattern(rig: Rig) -> None:
    client = rig.client(permissions=Permissions(subscribe_deny=[Rule(b"foo.secret")]))
    other = rig.client()
    client.send(b"SUB foo.* 1\r\n")
    other.send(b"PUB foo.secret 0\r\n\r\nPUB foo.open 0\r\n\r\n")
    assert client.received() == [b"MSG foo.open 1 0\r\n"]


def test_a_queue_member_that_must_not_hear_leaves_the_message_to_another(rig: Rig) -> None:
    client = rig.client(permissions=Permissions(subscribe_deny=[Rule(b"foo.secret")]))
    other = rig.client()
    client.send(b"SUB foo.* q 1\r\n")
    other.send(b"SUB foo.* q 1\r\n" + b"PUB foo.secret 0\r\n\r\n" * 20)
    assert client.received() == []
    assert len(other.received()) == 20


# ---- lines of the broker


def test_lines_of_the_broker_stay_in_order(rig: Rig) -> None:
    client = rig.client()
    client.send(b"PING\r\n")
    client.session.write(b"INFO {}\r\n")
    client.session.send_error("Careful")
    client.send(b"PING\r\n")
    assert client.received() == [b"PONG", b"INFO {}", b"-ERR 'Careful'", b"PONG"]


def test_a_closed_session_says_nothing_more(rig: Rig) -> None:
    client = rig.client()
    client.session.fail(WireError(ClosedReason.STALE_CONNECTION, wire="Stale Connection"))
    client.session.fail(WireError(ClosedReason.STALE_CONNECTION, wire="Stale Connection"))
    client.session.write(b"PING\r\n")
    client.send(b"PING\r\n")
    assert client.received() == [b"-ERR 'Stale Connection'"]
    assert len(client.events()) == 1


def test_a_default_grant_is_that_of_a_client_without_connect() -> None:
    assert (Grant().verbose, Grant().pedantic, Grant().echo, Grant().headers) == (True, True, True, False)
