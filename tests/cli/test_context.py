from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

Server = Callable[[str], str]


def files(natsctl: Shell) -> Path:
    return Path(natsctl.environment["XDG_CONFIG_HOME"]) / "nats"


def test_a_context_is_kept_in_the_file_of_the_nats_cli(natsctl: Shell) -> None:
    assert natsctl("context", "add", "prod", "-s", "a:1,tls://b", "--token", "t0k3n", "--description", "x").code == 0
    path = files(natsctl) / "context" / "prod.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    values = json.loads(path.read_bytes())
    assert values["url"] == "nats://a:1,tls://b:4222"
    assert (values["token"], values["description"], values["user"], values["tls_first"]) == ("t0k3n", "x", "", False)
    assert [file.name for file in path.parent.iterdir()] == ["prod.json"]


def test_the_environment_does_not_slip_into_a_context(natsctl: Shell) -> None:
    assert natsctl("context", "add", "bare", NATS_PASSWORD="from-env", NATS_USER="someone").code == 0
    assert "env" not in (files(natsctl) / "context" / "bare.json").read_text()


def test_secrets_are_masked_with_one_length(natsctl: Shell) -> None:
    natsctl(
        "context",
        "add",
        "one",
        "-s",
        "nats://alice:short@host",
        "--nkey",
        "SUAKYRHVIOREXV7EUZTBHUHL7NUMHPMAS7QMDU3GTIUWEI5LDNOXD43IZY",
    )
    natsctl("context", "add", "two", "-s", "host", "--user", "bob", "--password", "a-very-long-secret")
    for name in ("one", "two"):
        for form in ((), ("--json",)):
            done = natsctl("context", "show", name, *form)
            assert done.code == 0
            assert b"********" in done.out
            assert not any(secret in done.out for secret in (b"short", b"SUAK", b"a-very-long-secret"))


def test_a_url_of_the_nats_cli_is_shown_without_its_password(natsctl: Shell) -> None:
    folder = files(natsctl) / "context"
    folder.mkdir(parents=True)
    (folder / "foreign.json").write_text(json.dumps({"url": "nats://alice:hidden@h1:4222", "unknown_key": "kept"}))
    (folder / "comma.json").write_text(json.dumps({"url": "nats://alice:hid,den@h1:4222"}))
    assert b"nats://********@h1:4222" in natsctl("context", "show", "foreign").out
    for command in (("context", "ls"), ("context", "show", "comma"), ("pub", "x", "y", "--context", "comma")):
        done = natsctl(*command)
        assert b"hid" not in done.out
        assert "hid" not in done.err


def test_the_selected_context_is_used_until_another_is_named(natsctl: Shell) -> None:
    natsctl("context", "add", "good", "-s", natsctl.url, "--select")
    natsctl("context", "add", "bad", "-s", "127.0.0.1:1")
    assert (files(natsctl) / "context.txt").read_text() == "good"
    assert natsctl("pub", "x", "y", NATS_URL="").code == 0
    assert natsctl("pub", "x", "y", "--context", "bad", NATS_URL="").code == 6
    assert natsctl("pub", "x", "y", NATS_URL="", NATS_CONTEXT="bad").code == 6
    assert natsctl("pub", "x", "y", "--context", "bad").code == 0, "the environment comes before the context"
    assert natsctl("pub", "x", "y", "--context", "good", "-s", "127.0.0.1:1").code == 6, "a flag comes before both"
    natsctl("context", "select", "bad")
    assert natsctl("pub", "x", "y", NATS_URL="").code == 6


def test_ls_marks_the_selected_one(natsctl: Shell) -> None:
    natsctl("context", "add", "b", "-s", "hb", "--description", "second")
    natsctl("context", "add", "a", "-s", "ha", "--select")
    assert json.loads(natsctl("context", "ls", "--json").out) == [
        {"name": "a", "selected": True, "url": "nats://ha:4222", "description": ""},
        {"name": "b", "selected": False, "url": "nats://hb:4222", "description": "second"},
    ]
    lines = natsctl("context", "ls").out.decode().splitlines()
    assert [line.split() for line in lines[1:]] == [["*", "a", "nats://ha:4222"], ["b", "nats://hb:4222", "second"]]


def test_a_context_is_neither_replaced_nor_removed_by_accident(natsctl: Shell) -> None:
    natsctl("context", "add", "keep", "-s", "one", "--select")
    again = natsctl("context", "add", "keep", "-s", "two")
    assert (again.code, "--force" in again.err) == (2, True)
    assert natsctl("context", "add", "keep", "-s", "two", "--force").code == 0
    assert natsctl("context", "rm", "keep").code == 2
    assert natsctl("context", "rm", "keep", "--force").code == 0
    assert natsctl("context", "show").code == 2
    assert json.loads(natsctl("context", "ls", "--json").out) == []


@pytest.mark.parametrize("name", ["../evil", "a/b", ".hidden", "", "a\\b"])
def test_a_name_cannot_leave_the_folder(natsctl: Shell, name: str) -> None:
    for verb in (("add",), ("rm", "--force"), ("select",), ("show",)):
        assert natsctl("context", *verb, name).code == 2


def test_an_unknown_context_is_named_with_those_there_are(natsctl: Shell) -> None:
    natsctl("context", "add", "prod")
    done = natsctl("pub", "x", "y", "--context", "pord")
    assert (done.code, done.err) == (1, 'natsctl: there is no context "pord"\nhint: there are prod\n')


@pytest.mark.parametrize(
    ("content", "code", "complaint"),
    [
        ("{", 1, "broken.json:1:2: "),
        ("[]", 1, "broken.json: not a JSON object"),
        ('{"url": 7}', 2, "url in the context is no text"),
        ('{"socks_proxy": "p:1"}', 2, "the context needs socks_proxy"),
        ('{"creds": "op://vault/item"}', 2, "credentials in op are not supported"),
    ],
)
def test_a_context_that_cannot_be_used_says_why(natsctl: Shell, content: str, code: int, complaint: str) -> None:
    folder = files(natsctl) / "context"
    folder.mkdir(parents=True)
    (folder / "broken.json").write_text(content)
    done = natsctl("pub", "x", "y", "--context", "broken")
    assert done.code == code
    assert complaint in done.err
