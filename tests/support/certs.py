"""The command line of natsctl certs inside the test's process, and certificates to try it on."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from natsctl.cli.tree import run
from natsctl.pki.authority import Authority
from natsctl.pki.certificates import certificate_pem, load_certificate
from natsctl.pki.keys import DEFAULT_KEY, key_pem
from natsctl.pki.profiles import Profile
from natsctl.pki.request import CaEntry, Request

__all__ = ["NOW", "Certs", "Outcome", "make_authority", "make_leaf", "read_certificate", "write_pair"]

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@dataclass(frozen=True)
class Outcome:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Certs:
    """Runs ``natsctl certs``."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str | Path, stdin: str = "") -> Outcome:
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run(["certs", *map(str, arguments)])
        out, err = self._capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Outcome(ended.value.code, out, err)


def make_authority(now: datetime = NOW, *, name: str = "test CA", **ca: Any) -> Authority:
    """Make a CA."""
    return Authority.create(Request(cn=name, ca=CaEntry(**ca)), DEFAULT_KEY.generate(), now)


def make_leaf(
    authority: Authority,
    *hosts: str,
    usages: tuple[str, ...] = ("server auth",),
    now: datetime = NOW,
    expiry: timedelta = timedelta(days=1),
    cn: str = "leaf",
) -> Authority:
    """Make a certificate with its key."""
    key = DEFAULT_KEY.generate()
    profile = Profile(("signing", *usages), expiry)
    return Authority(authority.issue(Request(cn=cn, hosts=list(hosts)), key, profile, now), key)


def write_pair(pair: Authority, path: Path, *, mode: int = 0o600) -> None:
    """Write a certificate and, beside it, its key."""
    path.write_bytes(certificate_pem(pair.certificate))
    key_path = path.with_name(f"{path.stem}-key.pem")
    key_path.write_bytes(key_pem(pair.key))
    key_path.chmod(mode)


def read_certificate(path: Path) -> x509.Certificate:
    """Load a certificate's file."""
    return load_certificate(path.read_bytes(), str(path))
