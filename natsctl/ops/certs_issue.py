"""A CA and the certificates of a NATS system: for servers, clients and routes."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from natsctl.errors import UsageError
from natsctl.pki.authority import Authority
from natsctl.pki.certificates import Certificate, Description, certificate_pem, describe
from natsctl.pki.files import NewFile
from natsctl.pki.keys import DEFAULT_KEY, KeyPolicy, PrivateKey, key_pem
from natsctl.pki.lifetimes import format_hours
from natsctl.pki.names import parse_ip
from natsctl.pki.profiles import Profile
from natsctl.pki.request import CaEntry, Request

__all__ = ["LOOPBACK", "Issued", "Issuer", "Terms", "check_host", "host_name"]

LOOPBACK = ("localhost", "127.0.0.1", "::1")

_USAGES = {"server": ("server auth",), "client": ("client auth",), "route": ("server auth", "client auth")}
"""Part in a NATS system to what its certificate is for; the ends of a route are server and client in turn."""
_HOST_NAME = re.compile(r"(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")
_MAX_COMMON_NAME = 64
_MIN_EXPIRY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """How certificates are made."""

    key: KeyPolicy = DEFAULT_KEY
    expiry: timedelta = timedelta(days=365)
    ca_expiry: timedelta = timedelta(days=5 * 365)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def check(self) -> None:
        """Refuse what would not work.

        Raises:
            UsageError: Certificates would outlive their CA, or be over before they are used.
        """
        if self.expiry > self.ca_expiry:
            lives = f"{format_hours(self.expiry)}, their CA {format_hours(self.ca_expiry)}"
            raise UsageError(f"certificates would outlive their CA: they live {lives}")
        if self.expiry < _MIN_EXPIRY:
            raise UsageError(f"certificates have to live at least {format_hours(_MIN_EXPIRY)}")


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key, and the files they go to."""

    description: Description
    certificate: NewFile
    key: NewFile


class Issuer:
    """A new CA, and what it vouches for."""

    def __init__(self, terms: Terms) -> None:
        terms.check()
        self._terms = terms
        name = f"NATS CA of {host_name() or 'localhost'}"[:_MAX_COMMON_NAME]
        request = Request(cn=name, ca=CaEntry(expiry=format_hours(terms.ca_expiry)))
        self._authority = Authority.create(request, terms.key.generate(), terms.now)

    def authority(self, directory: Path) -> Issued:
        """Give the CA itself, as ``ca.pem`` and ``ca-key.pem``."""
        return _issued(self._authority.certificate, self._authority.key, directory, "ca")

    def issue(self, part: str, directory: Path, common_name: str, hosts: Iterable[str] = ()) -> Issued:
        """Make the certificate of a server, a client or a route, as ``PART.pem`` and ``PART-key.pem``."""
        key = self._terms.key.generate()
        encipherment = ("key encipherment",) if self._terms.key.algorithm == "rsa" else ()
        profile = Profile(("signing", *encipherment, *_USAGES[part]), self._terms.expiry)
        request = Request(cn=common_name[:_MAX_COMMON_NAME], hosts=list(dict.fromkeys(hosts)))
        signed = self._authority.issue(request, key, profile, self._terms.now)
        return _issued(signed, key, directory, part)


def host_name() -> str:
    """Give the name of this machine; empty when it is none that a certificate could carry."""
    name = socket.gethostname()
    return name if _HOST_NAME.fullmatch(name) else ""


def check_host(host: str) -> str:
    """Take a name or an address for a certificate.

    Raises:
        UsageError: It is neither.
    """
    if parse_ip(host) or _HOST_NAME.fullmatch(host):
        return host
    raise UsageError(f'"{host}" is neither a host name nor an IP address')


def _issued(certificate: Certificate, key: PrivateKey, directory: Path, name: str) -> Issued:
    return Issued(
        describe(certificate),
        NewFile(directory / f"{name}.pem", certificate_pem(certificate)),
        NewFile(directory / f"{name}-key.pem", key_pem(key), is_secret=True),
    )
