"""What a CA signs: cfssl's signing policies, read from its configuration files.

Source: cfssl ``config/config.go`` and ``signer/signer.go``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from cryptography import x509

from natsctl.config.words import did_you_mean, quoted
from natsctl.errors import ConfigError, Problem, UsageError
from natsctl.pki import documents
from natsctl.pki.lifetimes import read_expiry
from natsctl.pki.usages import usage_problem

__all__ = ["BACKDATE", "CA_PROFILE", "DEFAULT_POLICY", "DEFAULT_PROFILE", "Policy", "Profile", "read_policy"]

BACKDATE = timedelta(minutes=5)
"""cfssl's allowance for clocks that are behind."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How certificates are signed."""

    usages: tuple[str, ...] = ()
    """cfssl's words, see `natsctl.pki.usages`."""
    expiry: timedelta | None = None
    backdate: timedelta = BACKDATE
    not_before: datetime | None = None
    not_after: datetime | None = None
    is_ca: bool = False
    max_path_len: int | None = None
    issuer_urls: tuple[str, ...] = ()
    ocsp_url: str = ""
    crl_url: str = ""
    ocsp_no_check: bool = False
    copy_extensions: bool = False
    """Whether extensions of a CSR that say nothing of names or CAs are taken over."""
    name_whitelist: re.Pattern[str] | None = None
    """What each name of a certificate must contain."""
    policies: tuple[x509.PolicyInformation, ...] = ()

    def over(self, default: Profile) -> Profile:
        """Lay this profile over the default one, which fills what is missing here."""
        keys = ("expiry", "issuer_urls", "ocsp_url", "crl_url")
        return replace(self, **{key: getattr(self, key) or getattr(default, key) for key in keys})


_ISSUED = ("signing", "key encipherment", "server auth", "client auth")
DEFAULT_PROFILE = Profile(_ISSUED, timedelta(hours=8760))
"""What is signed when there is no configuration."""
CA_PROFILE = Profile(("cert sign", "crl sign"), timedelta(hours=43800), is_ca=True)
"""What a new CA gets."""


@dataclass(frozen=True, slots=True)
class Policy:
    """All profiles of a configuration."""

    default: Profile = DEFAULT_PROFILE
    profiles: dict[str, Profile] = field(default_factory=dict)
    file: str = ""

    def choose(self, name: str) -> Profile:
        """Give the profile of a name, completed; the default one for an empty name.

        Raises:
            UsageError: There is none of this name, or it says nothing of what certificates are for.
        """
        known = ", ".join(self.profiles)
        there_are = f"there are {known}" if known else "there is only the default profile, used without -profile"
        if name and name not in self.profiles:
            message = f"there is no profile {quoted(name)}{did_you_mean(name, self.profiles)}"
            raise UsageError(message, hint=there_are)
        profile = self.profiles[name].over(self.default) if name else self.default
        where = f"profile {quoted(name)}" if name else "the default profile"
        if not profile.usages:
            raise UsageError(f"{where} has no usages", hint=None if name else f"choose one with -profile: {there_are}")
        if profile.expiry is None and profile.not_after is None:
            raise UsageError(f"{where} has no expiry")
        return profile


DEFAULT_POLICY = Policy()


class _Constraint(msgspec.Struct):
    is_ca: bool = False
    max_path_len: int = 0
    max_path_len_zero: bool = False


class _Qualifier(msgspec.Struct):
    type: str = ""
    value: str = ""


class _PolicyEntry(msgspec.Struct):
    id: str = ""
    qualifiers: list[_Qualifier] = []


class _ProfileEntry(msgspec.Struct):
    usages: list[str] = []
    expiry: str = ""
    backdate: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    ca_constraint: _Constraint | None = None
    issuer_urls: list[str] = []
    ocsp_url: str = ""
    crl_url: str = ""
    ocsp_no_check: bool = False
    copy_extensions: bool = False
    name_whitelist: str = ""
    policies: list[_PolicyEntry] = []
    auth_key: str = ""
    remote: str = ""
    auth_remote: dict[str, Any] = {}
    ct_log_servers: list[str] = []
    allowed_extensions: list[str] = []
    csr_whitelist: dict[str, bool] = {}
    cert_store: str = ""
    lint_error_level: int = 0


class _Signing(msgspec.Struct):
    default: _ProfileEntry | None = None
    profiles: dict[str, _ProfileEntry] = {}


class _Config(msgspec.Struct):
    signing: _Signing | None = None
    auth_keys: dict[str, Any] = {}
    remotes: dict[str, Any] = {}


_OF_SERVERS = ("auth_key", "cert_store", "allowed_extensions")
"""Keys that mean something only to cfssl's signing server."""
_UNAVAILABLE = ("remote", "auth_remote", "ct_log_servers", "csr_whitelist", "lint_error_level")
"""Keys that make cfssl sign differently; there is no certificate like it without them."""


def read_policy(data: bytes, file: str) -> tuple[Policy, list[Problem]]:
    """Read a configuration file of cfssl.

    Returns:
        The policy, and what is doubtful in the file.

    Raises:
        ConfigError: With every value that cannot be meant.
    """
    config, warnings = documents.read(data, _Config, file)
    signing = config.signing or _Signing()
    if not signing.default and not signing.profiles:
        raise ConfigError([Problem("the configuration has no signing profiles", file)])
    errors: list[Problem] = []

    def read_one(entry: _ProfileEntry, path: str) -> Profile:
        return _ProfileReader(entry, f"signing.{path}", file, errors, warnings).read()

    default = read_one(signing.default, "default") if signing.default else DEFAULT_PROFILE
    profiles = {name: read_one(entry, f"profiles.{name}") for name, entry in signing.profiles.items()}
    if errors:
        raise ConfigError(errors)
    return Policy(default, profiles, file), warnings


@dataclass(slots=True)
class _ProfileReader:
    """Turns one entry into a profile and collects what is wrong with it."""

    entry: _ProfileEntry
    path: str
    file: str
    errors: list[Problem]
    warnings: list[Problem]

    def read(self) -> Profile:
        entry, constraint = self.entry, self.entry.ca_constraint or _Constraint()
        self._check_keys()
        has_length = constraint.max_path_len > 0 or constraint.max_path_len_zero
        return Profile(
            usages=self._usages(),
            expiry=self._lifetime("expiry"),
            backdate=self._lifetime("backdate") or BACKDATE,
            not_before=self._time(entry.not_before, "not_before"),
            not_after=self._time(entry.not_after, "not_after"),
            is_ca=constraint.is_ca,
            max_path_len=constraint.max_path_len if has_length else None,
            issuer_urls=tuple(entry.issuer_urls),
            ocsp_url=entry.ocsp_url,
            crl_url=entry.crl_url,
            ocsp_no_check=entry.ocsp_no_check,
            copy_extensions=entry.copy_extensions,
            name_whitelist=self._pattern(),
            policies=tuple(self._policies()),
        )

    def _check_keys(self) -> None:
        for key in _UNAVAILABLE:
            if getattr(self.entry, key):
                self._error(key, "is not available here: the CA's own key signs, and nothing else is asked")
        for key in _OF_SERVERS:
            if getattr(self.entry, key):
                self.warnings.append(Problem(f"{self.path}.{key} has no effect without a signing server", self.file))

    def _usages(self) -> tuple[str, ...]:
        for usage in self.entry.usages:
            if problem := usage_problem(usage):
                self._error("usages", problem)
        return tuple(self.entry.usages)

    def _lifetime(self, key: str) -> timedelta | None:
        try:
            return read_expiry(getattr(self.entry, key))
        except ValueError as error:
            self._error(key, str(error))
            return None

    def _time(self, value: datetime | None, key: str) -> datetime | None:
        if value is not None and value.tzinfo is None:
            self._error(key, "needs a time zone, for example 2030-01-31T00:00:00Z")
        return value and value.astimezone(UTC)

    def _pattern(self) -> re.Pattern[str] | None:
        try:
            return re.compile(self.entry.name_whitelist) if self.entry.name_whitelist else None
        except re.error as error:
            self._error("name_whitelist", f"invalid regular expression: {error}")
            return None

    def _policies(self) -> Iterable[x509.PolicyInformation]:
        for entry in self.entry.policies:
            try:
                oid = x509.ObjectIdentifier(entry.id)
            except ValueError:
                self._error("policies", f"invalid object identifier {quoted(entry.id)}")
                continue
            qualifiers = [self._qualifier(qualifier) for qualifier in entry.qualifiers]
            yield x509.PolicyInformation(oid, qualifiers or None)

    def _qualifier(self, qualifier: _Qualifier) -> str | x509.UserNotice:
        if qualifier.type == "id-qt-unotice":
            return x509.UserNotice(None, qualifier.value)
        if qualifier.type != "id-qt-cps":
            known = ("id-qt-cps", "id-qt-unotice")
            self._error("policies", f"unknown qualifier {quoted(qualifier.type)}{did_you_mean(qualifier.type, known)}")
        return qualifier.value

    def _error(self, key: str, message: str) -> None:
        self.errors.append(Problem(f"{self.path}.{key}: {message}", self.file))
