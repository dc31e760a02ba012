"""cfssl's configurations: what is misspelt is an error that names what was meant."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from natsctl.errors import ConfigError, UsageError
from natsctl.pki.profiles import DEFAULT_POLICY, Policy, read_policy
from natsctl.pki.usages import EXTENDED_USAGES, KEY_USAGES, extended_usages, key_usage


def policy(default: dict[str, Any] | None = None, **profiles: Any) -> Policy:
    document = {"signing": {"default": default or {"expiry": "43800h"}, "profiles": profiles}}
    found, warnings = read_policy(json.dumps(document).encode(), "c.json")
    assert warnings == []
    return found


SERVER = {"usages": ["signing", "server auth"], "expiry": "1h"}


def test_an_unknown_profile_is_an_error_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match='there is no profile "srver", did you mean "server"\\?') as refused:
        policy(server=SERVER, client=SERVER).choose("srver")
    assert refused.value.hint == "there are server, client"


def test_a_default_without_usages_asks_for_a_profile() -> None:
    with pytest.raises(UsageError, match="the default profile has no usages") as refused:
        policy(server=SERVER).choose("")
    assert refused.value.hint == "choose one with -profile: there are server"


def test_without_a_configuration_cfssls_own_profile_signs() -> None:
    profile = DEFAULT_POLICY.choose("")
    assert profile.usages == ("signing", "key encipherment", "server auth", "client auth")
    assert profile.expiry == timedelta(hours=8760)
    with pytest.raises(UsageError):
        DEFAULT_POLICY.choose("server")


def test_what_a_profile_leaves_out_is_taken_from_the_default() -> None:
    default = {"expiry": "2h", "crl_url": "http://c", "ocsp_url": "http://o", "issuer_urls": ["http://i"]}
    profile = policy(default, bare={"usages": ["any"]}, own={"usages": ["any"], "crl_url": "http://own"})
    assert profile.choose("bare").expiry == timedelta(hours=2)
    assert profile.choose("bare").issuer_urls == ("http://i",)
    assert profile.choose("own").crl_url == "http://own"


def test_every_mistake_is_told_at_once() -> None:
    bad = {
        "usages": ["server-auth", "signing"],
        "expiry": "1y",
        "not_before": "2030-01-02T03:04:05",
        "name_whitelist": "(",
        "policies": [{"id": "x"}, {"id": "1.2", "qualifiers": [{"type": "id-qt-cpps"}]}],
        "remote": "elsewhere",
    }
    with pytest.raises(ConfigError) as refused:
        policy(bad=bad)
    lines = str(refused.value).splitlines()
    assert all(line.startswith("c.json: signing.profiles.bad.") for line in lines)
    text = str(refused.value)
    assert 'usages: unknown usage "server-auth", did you mean "server auth"?' in text
    assert 'expiry: duration "1y" has a unit Go does not know (write 8760h)' in text
    assert "not_before: needs a time zone" in text
    assert "name_whitelist: invalid regular expression" in text
    assert 'policies: invalid object identifier "x"' in text
    assert 'policies: unknown qualifier "id-qt-cpps", did you mean "id-qt-cps"?' in text
    assert "remote: is not available here" in text


def test_what_only_a_signing_server_heeds_is_told_of() -> None:
    document = {
        "signing": {"profiles": {"server": SERVER | {"auth_key": "k"}}},
        "auth_keys": {"k": {"type": "standard"}},
    }
    _, warnings = read_policy(json.dumps(document).encode(), "c.json")
    assert [str(warning) for warning in warnings] == [
        "c.json: signing.profiles.server.auth_key has no effect without a signing server"
    ]


def test_a_configuration_without_profiles_is_refused() -> None:
    with pytest.raises(ConfigError, match="no signing profiles"):
        read_policy(b"{}", "c.json")


def test_every_usage_of_cfssl_ends_in_one_extension() -> None:
    assert not KEY_USAGES.keys() & EXTENDED_USAGES.keys()
    for usage in KEY_USAGES:
        assert key_usage([usage, "key agreement"]) is not None
        assert extended_usages([usage]) is None
    for usage in EXTENDED_USAGES:
        assert key_usage([usage]) is None
        assert extended_usages([usage]) is not None
