from collections.abc import Callable

import pytest

from natsctl.engine import grammar
from natsctl.errors import ClosedReason, WireError

VERBS = (b"PUB", b"HPUB", b"SUB", b"UNSUB", b"PING", b"PONG", b"CONNECT", b"INFO", b"+OK", b"-ERR", b"HMSG")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("write", [bytes.upper, bytes.lower, bytes.title, bytes.swapcase])
def test_verbs_are_read_in_any_case_and_blanks_behind_them_skipped(
    verb: bytes, write: Callable[[bytes], bytes]
) -> None:
    blanks = b"" if verb in (b"PING", b"PONG", b"+OK") else b" \t "
    assert grammar.scan_verb(b"..." + write(verb) + blanks + b"x", 3) == (verb, 3 + len(verb + blanks))


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_still_coming_in_is_awaited(verb: bytes) -> None:
    for length in range(len(verb)):
        assert grammar.scan_verb(verb[:length], 0) is None


@pytest.mark.parametrize("verb", [b"PUB", b"SUB", b"UNSUB", b"CONNECT", b"INFO", b"-ERR"])
def test_blanks_without_an_argument_are_awaited(verb: bytes) -> None:
    assert grammar.scan_verb(verb, 0) is None
    assert grammar.scan_verb(verb + b"  ", 0) is None


@pytest.mark.parametrize(
    ("data", "log"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", r"""state=0, i=0: proto='"GET / HTTP/1.1\r\nHost: x\r\n\r"...'"""),
        (b" PING\r\n", r"""state=0, i=0: proto='" PING\r"...'"""),
        (b"\r\n", r"""state=0, i=0: proto='"\r"...'"""),
        (b"PUC x\r\n", r"""state=30, i=2: proto='"C x\r"...'"""),
        (b"SUBfoo 1\r\n", r"""state=45, i=3: proto='"foo 1\r"...'"""),
        (b"UNSUB1\r\n", r"""state=63, i=5: proto='"1\r"...'"""),
        (b"PIX", r"""state=34, i=2: proto='""...'"""),
        (b"MSG foo 1 0\r\n", r"""state=0, i=0: proto='"MSG foo 1 0\r"...'"""),
        (b"\x16\x03\x01\x02\x00", r"""state=0, i=0: proto='"\x16\x03\x01\x02"...'"""),
    ],
)
def test_the_first_wrong_byte_ends_it_with_its_place_and_the_words_of_nats_server(data: bytes, log: str) -> None:
    with pytest.raises(WireError) as refused:
        grammar.scan_verb(data, 0)
    assert refused.value.wire == "Unknown Protocol Operation"
    assert refused.value.log == f"Client parser ERROR, {log}"
    assert refused.value.reason is ClosedReason.PROTOCOL_VIOLATION


def test_the_place_counts_from_the_last_read() -> None:
    error = grammar.unknown_operation(b"PUB a 1\r\nxy", 10, grammar.PAYLOAD_CR_STATE, offset=9)
    assert "i=1" in str(error)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (b"foo 5", (b"foo", b"", b"", b"5", 0, 5)),
        (b"foo bar 5", (b"foo", b"bar", b"", b"5", 0, 5)),
        (b"\tfoo \t bar  005 ", (b"foo", b"bar", b"", b"005", 0, 5)),
        (b"f\ro 0", (b"f\ro", b"", b"", b"0", 0, 0)),
        (b"foo 999999999", (b"foo", b"", b"", b"999999999", 0, 999999999)),
    ],
)
def test_pub_takes_a_subject_perhaps_a_reply_and_a_size(args: bytes, expected: grammar.PublishArgs) -> None:
    assert grammar.parse_pub(args) == expected


@pytest.mark.parametrize(
    ("args", "log"),
    [
        (b"", 'processPub Parse Error: ""'),
        (b"foo", 'processPub Parse Error: "foo"'),
        (b"foo bar baz 2", 'processPub Parse Error: "foo bar baz 2"'),
        (b"foo abc", 'processPub Bad or Missing Size: "foo abc"'),
        (b"foo -1", 'processPub Bad or Missing Size: "foo -1"'),
        (b"foo +1", 'processPub Bad or Missing Size: "foo +1"'),
        (b"foo 1_0", 'processPub Bad or Missing Size: "foo 1_0"'),
        (b"foo 1234567890", 'processPub Bad or Missing Size: "foo 1234567890"'),
        ("foo ٣".encode(), 'processPub Bad or Missing Size: "foo ٣"'),
    ],
)
def test_a_bad_pub_closes_without_a_word(args: bytes, log: str) -> None:
    with pytest.raises(WireError) as refused:
        grammar.parse_pub(args)
    assert (refused.value.wire, refused.value.log) == (None, log)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (b"foo 12 14", (b"foo", b"", b"12", b"14", 12, 14)),
        (b"foo bar 0 0", (b"foo", b"bar", b"0", b"0", 0, 0)),
        (b" foo  bar 012\t0012", (b"foo", b"bar", b"012", b"0012", 12, 12)),
    ],
)
def test_hpub_takes_two_sizes(args: bytes, expected: grammar.PublishArgs) -> None:
    assert grammar.parse_hpub(args) == expected


@pytest.mark.parametrize(
    ("args", "log"),
    [
        (b"foo 12", 'processHeaderPub Parse Error: "foo 12"'),
        (b"foo a b 1 2", 'processHeaderPub Parse Error: "foo a b 1 2"'),
        (b"foo x 14", 'processHeaderPub Bad or Missing Header Size: "foo x 14"'),
        (b"foo 12 x", 'processHeaderPub Bad or Missing Total Size: "foo 12 x"'),
        (b"foo 13 12", 'processHeaderPub Header Size larger then TotalSize: "foo 13 12"'),
    ],
)
def test_a_bad_hpub_closes_without_a_word(args: bytes, log: str) -> None:
    with pytest.raises(WireError) as refused:
        grammar.parse_hpub(args)
    assert (refused.value.wire, refused.value.log) == (None, log)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (b"foo 1", (b"foo", None, b"1")),
        (b"foo q 1", (b"foo", b"q", b"1")),
        (b"\tfoo  q\t\x00\xff ", (b"foo", b"q", b"\x00\xff")),
        (b"foo\rq\n1", (b"foo", b"q", b"1")),
    ],
)
def test_sub_takes_a_subject_perhaps_a_queue_and_a_sid(args: bytes, expected: object) -> None:
    assert grammar.parse_sub(args) == expected


@pytest.mark.parametrize(
    ("args", "expected"),
    [(b"1", (b"1", 0)), (b"1 5", (b"1", 5)), (b"x  07 ", (b"x", 7)), (b"1 x", (b"1", 0)), (b"1 -2", (b"1", 0))],
)
def test_unsub_takes_a_sid_and_perhaps_a_max(args: bytes, expected: object) -> None:
    assert grammar.parse_unsub(args) == expected


def test_sub_and_unsub_with_other_counts_of_arguments_close_without_a_word() -> None:
    for parse, verb, args in (
        (grammar.parse_sub, "processSub", b"foo"),
        (grammar.parse_sub, "processSub", b"a b c d"),
        (grammar.parse_unsub, "processUnsub", b""),
        (grammar.parse_unsub, "processUnsub", b"1 2 3"),
    ):
        with pytest.raises(WireError) as refused:
            parse(args)
        assert refused.value.wire is None
        assert refused.value.log == f'{verb} Parse Error: "{args.decode()}"'
