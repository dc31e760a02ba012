from __future__ import annotations

from pathlib import Path

import pytest

from natsctl.errors import NatsctlError, UsageError
from natsctl.ops.contexts import ContextStore, context_settings, context_values
from natsctl.ops.settings import Settings


def test_settings_come_back_from_a_context(tmp_path: Path) -> None:
    settings = Settings(
        servers=("nats://a:1", "tls://b:2"),
        user="u",
        password="p",
        tls_cert="/c",
        tls_key="/k",
        tls_ca="/ca",
        tls_first=True,
        inbox_prefix="_I",
    )
    store = ContextStore(tmp_path)
    store.save("x", context_values(settings))
    assert context_settings(store.load("x")) == settings


def test_the_login_in_a_url_is_used_unless_the_context_has_another() -> None:
    url = "nats://u:p@h"
    assert context_settings({"url": url}) == Settings(servers=("nats://h:4222",), user="u", password="p")
    assert context_settings({"url": url, "token": "t"}) == Settings(servers=("nats://h:4222",), token="t")


def test_relative_paths_are_kept_absolute() -> None:
    assert context_values(Settings(creds="a.creds"))["creds"] == str(Path.cwd() / "a.creds")


def test_a_jwt_with_its_seed_is_read() -> None:
    assert context_settings({"user_jwt": "j", "user_seed": "SU"}) == Settings(user_jwt="j", nkey="SU")


def test_a_failed_write_leaves_the_old_context(tmp_path: Path) -> None:
    store = ContextStore(tmp_path)
    path = store.save("x", {"url": "old"})
    with pytest.raises(TypeError):
        store.save("x", {"url": object()})
    assert store.load("x")["url"] == "old"
    assert [file.name for file in path.parent.iterdir()] == ["x.json"]


def test_removing_the_selected_context_unselects_it(tmp_path: Path) -> None:
    store = ContextStore(tmp_path)
    store.save("x", {})
    store.select("x")
    store.remove("x")
    assert (store.selected(), store.names()) == ("", [])
    with pytest.raises(NatsctlError, match="no context"):
        store.select("x")


def test_what_would_make_another_connection_is_refused() -> None:
    with pytest.raises(UsageError, match="nsc"):
        context_settings({"nsc": "nsc://op/acc/user"})
