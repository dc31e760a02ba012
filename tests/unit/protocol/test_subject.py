import pytest

from natsctl.protocol.subject import covers, has_wildcard, is_valid, is_valid_literal

LITERALS = [b"foo", b"foo.bar", b"foo*", b">foo", b"a.b>.c", b"*a.**", "é.日本".encode(), b"\xff.\x00", b"a\r.b"]
PATTERNS = [b"*", b">", b"foo.*", b"*.foo", b"foo.>", b"*.>", b"*.*.*"]
INVALID = [b"", b".", b"foo.", b".foo", b"foo..bar", b">.foo", b"foo.>.bar", b">.>"]


@pytest.mark.parametrize("subject", LITERALS)
def test_literals_can_be_published_and_subscribed(subject: bytes) -> None:
    assert is_valid(subject)
    assert is_valid_literal(subject)
    assert not has_wildcard(subject)


@pytest.mark.parametrize("subject", PATTERNS)
def test_patterns_can_only_be_subscribed(subject: bytes) -> None:
    assert is_valid(subject)
    assert has_wildcard(subject)
    assert not is_valid_literal(subject)


@pytest.mark.parametrize("subject", INVALID)
def test_empty_tokens_and_an_early_rest_are_invalid(subject: bytes) -> None:
    assert not is_valid(subject)
    assert not is_valid_literal(subject)


@pytest.mark.parametrize(
    ("pattern", "subject", "is_covered"),
    [
        (b"foo", b"foo", True),
        (b"foo", b"bar", False),
        (b"foo", b"foo.bar", False),
        (b"foo.bar", b"foo", False),
        (b"*", b"foo", True),
        (b"*", b"*", True),
        (b"*", b">", False),
        (b"foo", b"*", False),
        (b">", b"foo.bar", True),
        (b">", b">", True),
        (b"foo.>", b"foo", False),
        (b"foo.>", b"foo.*", True),
        (b"foo.>", b"foo.>", True),
        (b"foo.*", b"foo.>", False),
        (b"*.*", b"foo.bar", True),
        (b"*.*", b"foo.bar.baz", False),
        (b"foo.*.baz", b"foo.bar.baz", True),
        (b"foo.*.baz", b"foo.*.*", False),
    ],
)
def test_a_pattern_covers_what_all_it_stands_for_matches(pattern: bytes, subject: bytes, is_covered: bool) -> None:
    assert covers(pattern, subject) is is_covered
