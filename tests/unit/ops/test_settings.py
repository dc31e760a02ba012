from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natsctl.errors import UsageError
from natsctl.ops.settings import DEFAULT_TIMEOUT_S, DEFAULT_URL, Settings, split_servers


def test_what_is_decided_above_wins_and_the_rest_is_filled() -> None:
    above = Settings(servers=("nats://a:1",), timeout_s=1.0)
    below = Settings(servers=("nats://b:1",), timeout_s=2.0, inbox_prefix="_I")
    assert above.over(below) == Settings(servers=("nats://a:1",), timeout_s=1.0, inbox_prefix="_I")


def test_a_token_above_hides_every_credential_below() -> None:
    below = Settings(user="u", password="p", creds="c", nkey="n", user_jwt="j", tls_cert="kept")
    assert Settings(token="t").over(below) == Settings(token="t", tls_cert="kept")


def test_user_and_password_complete_each_other() -> None:
    assert Settings(user="u").over(Settings(password="p")) == Settings(user="u", password="p")
    assert Settings(password="p").over(Settings(user="u", token="t")) == Settings(user="u", password="p")
    assert Settings(user="u").over(Settings(user="u", password="p")) == Settings(user="u", password="p")


def test_one_user_does_not_get_the_password_of_another() -> None:
    assert Settings(user="alice").over(Settings(user="bob", password="p")) == Settings(user="alice")


@given(
    st.builds(
        Settings, user=st.none() | st.just("u"), token=st.none() | st.just("t"), timeout_s=st.none() | st.just(1.0)
    )
)
def test_nothing_over_settings_changes_nothing(settings: Settings) -> None:
    assert Settings().over(settings) == settings
    assert settings.over(Settings()) == settings


def test_defaults_complete_what_nobody_decided() -> None:
    assert Settings().completed() == Settings(servers=(DEFAULT_URL,), timeout_s=DEFAULT_TIMEOUT_S)


def test_a_user_alone_is_a_token_and_a_password_alone_an_error() -> None:
    completed = Settings(user="t").completed()
    assert (completed.user, completed.token) == (None, "t")
    with pytest.raises(UsageError):
        Settings(password="p").completed()


def test_no_secret_is_in_the_representation() -> None:
    secrets = {field.name: "s3cr3t" for field in fields(Settings) if not field.repr}
    assert set(secrets) == {"password", "token", "creds", "nkey", "user_jwt"}
    assert "s3cr3t" not in repr(Settings(**secrets))  # type: ignore[arg-type]  # all of them are texts


@pytest.mark.parametrize(
    ("urls", "servers"),
    [
        (["host"], ("nats://host:4222",)),
        (["host:1"], ("nats://host:1",)),
        (["tls://host"], ("tls://host:4222",)),
        (["nats://host/"], ("nats://host:4222",)),
        (["[::1]"], ("nats://[::1]:4222",)),
        (["nats://[::1]:1"], ("nats://[::1]:1",)),
        (["a, b:1", "tls://c"], ("nats://a:4222", "nats://b:1", "tls://c:4222")),
        ([""], None),
        ([], None),
    ],
)
def test_addresses_are_completed(urls: list[str], servers: tuple[str, ...] | None) -> None:
    assert split_servers(urls) == Settings(servers=servers)


def test_credentials_are_taken_out_of_addresses_and_decoded() -> None:
    found = split_servers(["nats://b%40b:p%2Cw@one,nats://b%40b:p%2Cw@two", "three"])
    assert found == Settings(
        servers=("nats://one:4222", "nats://two:4222", "nats://three:4222"), user="b@b", password="p,w"
    )
    assert split_servers(["nats://token@one"]) == Settings(servers=("nats://one:4222",), user="token")


def test_different_credentials_in_addresses_are_an_error_without_them() -> None:
    with pytest.raises(UsageError) as caught:
        split_servers(["nats://a:first@one,nats://b:second@two"])
    assert "first" not in str(caught.value)


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=1))
def test_no_password_gets_into_an_error(text: str) -> None:
    try:
        split_servers([f"nats://user:{text}SECRET@host"])
    except UsageError as error:
        assert "SECRET" not in f"{error} {error.hint}"
