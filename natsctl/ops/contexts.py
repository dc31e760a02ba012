"""Connection contexts in the files of the ``nats`` CLI, so that both tools share them.

Source: ADR-21. ``<config>/nats/context/NAME.json`` holds a context, ``<config>/nats/context.txt`` the name of the
selected one; ``<config>`` is ``$XDG_CONFIG_HOME`` or ``~/.config``.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from natsctl.errors import ConfigError, NatsctlError, Problem, UsageError
from natsctl.ops.settings import Settings, split_servers

__all__ = ["SECRET_KEYS", "ContextStore", "context_settings", "context_values"]

SECRET_KEYS = frozenset({"token", "password", "user_jwt", "user_seed"})
"""Keys that hold a secret; ``creds`` and ``nkey`` hold a path, or a secret."""
_KEYS: dict[str, Any] = dict.fromkeys(
    (
        "description",
        "url",
        "socks_proxy",
        "token",
        "user",
        "password",
        "creds",
        "nkey",
        "cert",
        "key",
        "ca",
        "nsc",
        "jetstream_domain",
        "jetstream_api_prefix",
        "jetstream_event_prefix",
        "inbox_prefix",
        "user_jwt",
        "color_scheme",
    ),
    "",
) | {"tls_first": False}
_UNSUPPORTED = ("socks_proxy", "nsc", "windows_cert_store")
"""Keys without which the context would mean another connection than the one it describes."""


class ContextStore:
    """The contexts of one user.

    Args:
        directory: Where the contexts are; by default where the ``nats`` CLI looks.
    """

    def __init__(self, directory: Path | None = None) -> None:
        home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
        self._directory = directory or Path(home).expanduser() / "nats"

    def names(self) -> list[str]:
        """List the contexts by name."""
        return sorted(path.stem for path in self._directory.glob("context/*.json"))

    def load(self, name: str) -> dict[str, Any]:
        """Read a context, with all its keys.

        Raises:
            NatsctlError: There is no such context.
            ConfigError: Its file is no JSON object.
        """
        path = self._path(name)
        try:
            values = json.loads(path.read_bytes())
        except FileNotFoundError:
            known = ", ".join(self.names())
            hint = f"there are {known}" if known else "'natsctl context add' makes one"
            raise NatsctlError(f'there is no context "{name}"', hint=hint) from None
        except json.JSONDecodeError as error:
            raise ConfigError([Problem(error.msg.lower(), str(path), error.lineno, error.colno)]) from None
        except UnicodeDecodeError:
            raise ConfigError([Problem("not UTF-8", str(path))]) from None
        if not isinstance(values, dict):
            raise ConfigError([Problem("not a JSON object", str(path))])
        return values

    def save(self, name: str, values: Mapping[str, Any]) -> Path:
        """Write a context, readable for its user only; keys not given are written empty, as ADR-21 wants."""
        path = self._path(name)
        _write_private(path, json.dumps({**_KEYS, **values}, indent=2) + "\n")
        return path

    def remove(self, name: str) -> None:
        """Delete a context; it is no longer selected either."""
        self.load(name)
        self._path(name).unlink()
        if self.selected() == name:
            self.unselect()

    def selected(self) -> str:
        """Name the selected context; empty when there is none."""
        try:
            return (self._directory / "context.txt").read_text().strip()
        except FileNotFoundError:
            return ""

    def select(self, name: str) -> None:
        """Make a context the one that is used when none is named."""
        self.load(name)
        _write_private(self._directory / "context.txt", name)

    def unselect(self) -> None:
        """Go back to no context."""
        with contextlib.suppress(FileNotFoundError):
            (self._directory / "context.txt").unlink()

    def _path(self, name: str) -> Path:
        if not name or name.startswith(".") or not name.isprintable() or "/" in name or "\\" in name:
            raise UsageError(f"invalid context name {name!r}")
        return self._directory / "context" / f"{name}.json"


def context_settings(values: Mapping[str, Any]) -> Settings:
    """Read the settings out of a context.

    Raises:
        UsageError: It needs something natsctl does not do, or a value has the wrong type.
    """
    for key in _UNSUPPORTED:
        if values.get(key):
            raise UsageError(f"the context needs {key}, which natsctl does not support")
    texts = {key: values.get(key) or None for key in (*_KEYS, "user_seed") if key != "tls_first"}
    for key, value in texts.items():
        if value is not None and not isinstance(value, str):
            raise UsageError(f"{key} in the context is no text")
    servers = split_servers([texts["url"]]) if texts["url"] else Settings()
    return Settings(
        user=texts["user"],
        password=texts["password"],
        token=texts["token"],
        creds=texts["creds"],
        nkey=texts["nkey"] or texts["user_seed"],
        user_jwt=texts["user_jwt"],
        tls_cert=texts["cert"],
        tls_key=texts["key"],
        tls_ca=texts["ca"],
        tls_first=bool(values.get("tls_first")) or None,
        inbox_prefix=texts["inbox_prefix"],
    ).over(servers)


def context_values(settings: Settings) -> dict[str, Any]:
    """Make the keys of a context from settings; undecided ones are left out."""
    values = {
        "url": ",".join(settings.servers or ()),
        "user": settings.user,
        "password": settings.password,
        "token": settings.token,
        "creds": _absolute(settings.creds),
        "nkey": settings.nkey if (settings.nkey or "").startswith("SU") else _absolute(settings.nkey),
        "cert": _absolute(settings.tls_cert),
        "key": _absolute(settings.tls_key),
        "ca": _absolute(settings.tls_ca),
        "tls_first": settings.tls_first,
        "inbox_prefix": settings.inbox_prefix,
    }
    return {key: value for key, value in values.items() if value}


def _absolute(path: str | None) -> str | None:
    return str(Path(path).expanduser().absolute()) if path else None


def _write_private(path: Path, text: str) -> None:
    """Replace a file in one step; only its user may read it, from the first byte on."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
