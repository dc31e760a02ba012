import pytest

from natsctl.engine.permissions import Permissions, Responses, Rule


def rules(*texts: bytes) -> list[Rule]:
    return [Rule(*text.split()) for text in texts]


def test_without_lists_everything_is_allowed() -> None:
    permissions = Permissions()
    assert permissions.may_publish(b"a")
    assert permissions.may_subscribe(b">", None)
    assert permissions.may_subscribe(b">", b"q")
    assert not permissions.needs_filter(b">")


def test_an_empty_allow_list_allows_nothing() -> None:
    permissions = Permissions(publish_allow=[], subscribe_allow=[])
    assert not permissions.may_publish(b"a")
    assert not permissions.may_subscribe(b"a", None)


@pytest.mark.parametrize(
    ("subject", "allowed"),
    [
        (b"a.b", True),
        (b"a.secret", False),
        (b"a.x.no", False),
        (b"a.x.y.no", True),
        (b"b", False),
        (b"a", False),
        (b"req.1", True),
        (b"a..b", False),
        (b"a.>", True),
    ],
)
def test_publishing_needs_to_be_allowed_and_not_denied(subject: bytes, allowed: bool) -> None:
    permissions = Permissions(publish_allow=[b"a.>", b"req.*"], publish_deny=[b"a.secret", b"a.*.no"])
    for _ in range(2):  # the second time from memory
        assert permissions.may_publish(subject) is allowed


@pytest.mark.parametrize(
    ("subject", "allowed", "filtered"),
    [
        (b"a.b", True, False),
        (b"a.hidden", False, False),
        (b"a.*", True, True),
        (b"a.>", True, True),
        (b"a.b.*", True, False),
        (b"a.b.>", True, False),
        (b">", False, True),
        (b"*", False, True),
        (b"b", False, False),
    ],
)
def test_a_pattern_that_overlaps_a_denied_one_is_admitted_and_filtered(
    subject: bytes, allowed: bool, filtered: bool
) -> None:
    permissions = Permissions(subscribe_allow=rules(b"a.>"), subscribe_deny=rules(b"a.hidden"))
    assert permissions.may_subscribe(subject, None) is allowed
    assert permissions.needs_filter(subject) is filtered


def test_the_filter_lets_pass_what_could_be_subscribed_by_its_name() -> None:
    permissions = Permissions(subscribe_allow=rules(b"a.>"), subscribe_deny=rules(b"a.hidden", b"a.*.x"))
    for _ in range(2):
        assert permissions.may_deliver(b"a.b")
        assert not permissions.may_deliver(b"a.hidden")
        assert not permissions.may_deliver(b"a.b.x")
        assert not permissions.may_deliver(b"b")


@pytest.mark.parametrize(
    ("allow", "queue", "allowed"),
    [
        ((b"foo",), None, True),
        ((b"foo",), b"any", True),
        ((b"foo v1",), None, False),
        ((b"foo v1",), b"v1", True),
        ((b"foo v1",), b"v2", False),
        ((b"foo v*",), b"v1", False),
        ((b"foo v.*",), b"v.1", True),
        ((b"foo >",), b"v1", True),
        ((b"foo", b"foo v1"), None, True),
        ((b"foo", b"foo v1"), b"v1", True),
        ((b"foo", b"foo v1"), b"v2", False),
    ],
)
def test_queue_permissions_name_the_groups(allow: tuple[bytes, ...], queue: bytes | None, allowed: bool) -> None:
    assert Permissions(subscribe_allow=rules(*allow)).may_subscribe(b"foo", queue) is allowed


@pytest.mark.parametrize(
    ("deny", "queue", "allowed"),
    [
        ((b"foo",), b"q", False),
        ((b"foo q",), None, True),
        ((b"foo q",), b"q", False),
        ((b"foo q",), b"r", True),
    ],
)
def test_denied_queues_are_denied_by_name(deny: tuple[bytes, ...], queue: bytes | None, allowed: bool) -> None:
    assert Permissions(subscribe_deny=rules(*deny)).may_subscribe(b"foo", queue) is allowed


def test_what_is_remembered_is_bounded_and_stays_right() -> None:
    permissions = Permissions(publish_allow=[b"a.*"], subscribe_deny=rules(b"a.1"), responses=Responses(1, 0))
    for number in range(10_000):
        assert permissions.may_publish(b"a.%d" % number)
        assert permissions.may_deliver(b"a.%d" % number) is (number != 1)
    assert not permissions.may_publish(b"b")
    assert not permissions.may_deliver(b"a.1")
