"""Users, permissions and accounts."""

from __future__ import annotations

import pytest

from natsctl.config import loads
from natsctl.config.options import AccountLimits, Permission, Permissions, ResponsePermission, User
from natsctl.errors import ConfigError

NKEY = "UCK5N7N66OBOINFXAYC2ACJQYFSOD4VYNU6APEJTAVFZB2SVHLKGEW7L"


def users(text: str) -> list[User]:
    return loads(f"authorization {{ users: [ {text} ] }}", environ={}).options.authorization.users


def permissions(text: str) -> Permissions:
    (user,) = users(f"{{user: a, permissions: {{ {text} }} }}")
    assert user.permissions is not None
    return user.permissions


def refused(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loads(text, environ={})
    return [problem.message for problem in caught.value.problems]


def test_users_have_a_password_or_an_nkey() -> None:
    text = f"{{username: a, pass: b, connection_types: [standard, Websocket]}}, {{nkey: {NKEY}}}, {{user: c}}"
    assert users(text) == [
        User(user="a", password="b", allowed_connection_types=["STANDARD", "WEBSOCKET"]),
        User(nkey=NKEY),
        User(user="c"),
    ]


@pytest.mark.parametrize(
    ("text", "publish", "subscribe"),
    [
        ("publish: x", Permission(["x"]), Permission()),
        ("pub: [x, 'y.>'], sub: z", Permission(["x", "y.>"]), Permission(["z"])),
        ("publish: {allow: x, deny: [y]}", Permission(["x"], ["y"]), Permission()),
        ("subscribe: {deny: z}", Permission(), Permission(None, ["z"])),
        ("subscribe: ['q.* grp', foo]", Permission(), Permission(["q.* grp", "foo"])),
        ("publish: []", Permission(None), Permission()),
        ("publish: {}, subscribe: {allow: []}", Permission(), Permission()),
    ],
)
def test_permissions_name_subjects(text: str, publish: Permission, subscribe: Permission) -> None:
    assert permissions(text) == Permissions(publish, subscribe)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("true", ResponsePermission(1, 120.0)),
        ("{}", ResponsePermission(1, 120.0)),
        ("{max: 5, ttl: '1m'}", ResponsePermission(5, 60.0)),
        ("{max: 0, expires: '0s'}", ResponsePermission(1, 120.0)),
        ("{max_msgs: -1, expires: '-1s'}", ResponsePermission(-1, -1.0)),
        ("false", None),
    ],
)
def test_the_right_to_respond_has_limits(text: str, right: ResponsePermission | None) -> None:
    assert permissions(f"allow_responses: {text}").allow_responses == right


def test_the_right_to_respond_alone_allows_no_other_subject() -> None:
    assert permissions("allow_responses: true").publish.allow == []
    assert permissions("publish: {deny: x}, allow_responses: true").publish == Permission([], ["x"])
    assert permissions("publish: y, allow_responses: true").publish.allow == ["y"]


def test_default_permissions_are_kept_apart() -> None:
    found = loads("authorization { permissions: {publish: a}, users: [{user: u}] }").options.authorization
    assert found.default_permissions == Permissions(Permission(["a"]))
    assert found.users[0].permissions is None


@pytest.mark.parametrize(
    "subject", ["foo..bar", "foo.", ".foo", "", "a.>.b", "a b", "a\\tb", "a b c"], ids=lambda subject: repr(subject)
)
def test_a_subject_that_cannot_be_is_refused(subject: str) -> None:
    (message,) = refused(f'authorization {{ users: [{{user: a, permissions: {{publish: "{subject}"}} }}] }}')
    assert message.startswith("publish must hold valid subjects, found")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user: a, password: b, token: t", "a user or password and a token cannot both be set"),
        ("user: a, users: []", "a single user and a users array cannot both be set"),
        ("token: a, users: []", "a single token and a users array cannot both be set"),
        ("users: [{user: a}, {user: a}]", 'duplicate user "a"'),
        (f"users: [{{nkey: {NKEY}}}, {{nkey: {NKEY}}}]", f'duplicate nkey "{NKEY}"'),
        (f"users: [{{nkey: {NKEY}, password: x}}]", "a user with an nkey takes no user name or password"),
        ("users: [{nkey: UBAD}]", "nkey must be the public nkey of a user: not an nkey of the kind wanted here"),
        (
            f"users: [{{nkey: {NKEY[:-1]}A}}]",
            "nkey must be the public nkey of a user: the checksum of the nkey is wrong",
        ),
        (
            f"users: [{{nkey: A{NKEY[1:]}}}]",
            "nkey must be the public nkey of a user: not an nkey of the kind wanted here",
        ),
    ],
)
def test_logins_that_contradict_are_refused(text: str, expected: str) -> None:
    assert refused(f"authorization {{ {text} }}") == [expected]


# --- accounts --------------------------------------------------------------------------------------------------------


def test_accounts_have_users_and_limits() -> None:
    text = """
    accounts {
        A { users: [{user: a, password: x}], limits { max_conn: 1, max_subs: 2, max_pay: 100 } }
        B { users: [{user: b}], default_permissions { publish: b }, limits { max_conn: -5 } }
    }
    """
    first, second = loads(text).options.accounts
    assert (first.name, first.users[0].password) == ("A", "x")
    assert first.limits == AccountLimits(1, 2, 100)
    assert second.limits == AccountLimits(-1, -1, -1)
    assert second.default_permissions == Permissions(Permission(["b"]))


def test_accounts_may_be_an_array_of_names() -> None:
    assert [account.name for account in loads("accounts: [A, B]").options.accounts] == ["A", "B"]


def test_a_variable_among_accounts_is_no_account() -> None:
    text = "accounts { P { publish: x }, A { users: [{user: a, permissions: $P}] } }"
    (account,) = loads(text).options.accounts
    assert account.users[0].permissions == Permissions(Permission(["x"]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accounts: [A, A]", 'duplicate account "A"'),
        ("accounts: ['$G']", 'account "$G" is reserved'),
        ("accounts { $G {} }", 'account "$G" is reserved'),
        ("accounts { A { users: [{user: a}] }, B { users: [{user: a}] } }", 'duplicate user "a"'),
        ("authorization { users: [{user: a}] }\naccounts { A { users: [{user: a}] } }", 'duplicate user "a"'),
        (
            "authorization { user: a, password: b }\naccounts { A { users: [{user: c}] } }",
            "a single user and accounts with users cannot both be set",
        ),
        (
            "accounts { A { imports: [{stream: {account: Z, subject: s}}] } }",
            'import of stream "s" names account "Z", which is not defined',
        ),
        (
            "accounts { A {}, B { imports: [{service: {account: A, subject: s}}] } }",
            'import of service "s" meets no export of account "A" for this account',
        ),
        (
            "accounts { A { exports: [{stream: 's.>', accounts: [C]}] }, C {}, "
            "B { imports: [{stream: {account: A, subject: s.a}}] } }",
            'import of stream "s.a" meets no export of account "A" for this account',
        ),
        (
            "accounts { A { exports: [{stream: s, accounts: [Z]}] } }",
            'account "Z" of an export is not defined',
        ),
        (
            "accounts { A { exports: [{stream: s}], imports: [{stream: {account: B, subject: s}}] }, "
            "B { exports: [{stream: s}], imports: [{stream: {account: A, subject: s}}] } }",
            'import of stream "s" forms a cycle',
        ),
    ],
)
def test_accounts_that_contradict_are_refused(text: str, expected: str) -> None:
    assert expected in refused(text)


@pytest.mark.parametrize(
    ("source", "destination"),
    [("foo", "bar"), ("a.*", "b.$1"), ("a.*.*", "b.{{wildcard(2)}}.{{wildcard(1)}}"), ("a.>", "b.>"), ("a.*", "b")],
)
def test_a_mapping_may_rename_wildcards(source: str, destination: str) -> None:
    assert loads(f'mappings {{ "{source}": "{destination}" }}').unavailable


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("a.*", "b.$2"),
        ("a.*", "b.*"),
        ("a", "b.>"),
        ("a.>", "b"),
        ("a.*", "b.{{foo(1)}}"),
        ("a..b", "c"),
        ("a", "b..c"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused(source: str, destination: str) -> None:
    assert refused(f'mappings {{ "{source}": "{destination}" }}')
