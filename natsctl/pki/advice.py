"""What will not work although it can be signed: findings for which cfssl has no word, each with its cure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from natsctl.config.words import quoted
from natsctl.pki.certificates import Description
from natsctl.pki.names import parse_ip

__all__ = ["Finding", "advise", "advise_hosts"]

_ROUTE = re.compile(r"route|cluster", re.IGNORECASE)
_HOST_URL = ("nats", "tls", "ws", "wss", "http", "https")
_IP_LIKE = re.compile(r"[\d.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something doubtful, and what to do about it."""

    message: str
    cure: str

    def __str__(self) -> str:
        return f"{self.message}; {self.cure}"


def advise(
    signed: Description, authority: Description, hosts: Sequence[str], *, role: str = "", now: datetime
) -> list[Finding]:
    """Say what is doubtful about a new certificate.

    Args:
        signed: The certificate.
        authority: That of its CA.
        hosts: What was asked for as its names.
        role: Name of the profile; the common name tells too what a certificate is for.
        now: The time.
    """
    return [
        *_advise_times(signed, authority, now),
        *_advise_usages(signed, role),
        *(() if signed.is_ca else advise_hosts(hosts, signed.common_name, is_server="server auth" in signed.usages)),
    ]


def advise_hosts(hosts: Sequence[str], common_name: str, *, is_server: bool) -> Iterator[Finding]:
    """Say which hosts will match nothing.

    Args:
        hosts: As they were given.
        common_name: That of the subject, at which no client of today looks for a host.
        is_server: Whether clients look for the server's name in this certificate.
    """
    if is_server and not any(hosts):
        yield Finding("no hosts: clients refuse a server without them", 'list its names and addresses in "hosts"')
    elif is_server and parse_ip(common_name) and common_name not in hosts:
        yield Finding(f"the address {common_name} is only the CN, where no client looks", 'add it to "hosts"')
    for host in hosts:
        yield from _advise_host(host)


def _advise_host(host: str) -> Iterable[Finding]:
    if not host:
        return [Finding('host "" makes an empty DNS name', 'write "hosts": [] for a certificate without names')]
    if host != host.strip():
        return [Finding(f"host {quoted(host)} has white space around it", f"write {quoted(host.strip())}")]
    better = _plain_host(host)
    if better and better != host:
        kind = "IP address" if parse_ip(better) else "name"
        return [Finding(f"host {quoted(host)} is no {kind} and will match nothing", f"write {quoted(better)}")]
    if _IP_LIKE.fullmatch(host) and not parse_ip(host):
        return [
            Finding(f"host {quoted(host)} looks like an IP address and is none", "it became a DNS name; correct it")
        ]
    first, _, rest = host.partition(".")
    if "*" in rest or ("*" in first and (first != "*" or "." not in rest.strip("."))):
        return [
            Finding(f"host {quoted(host)} will match nothing", "a wildcard is the whole first label: *.example.net")
        ]
    return []


def _plain_host(host: str) -> str:
    """Take scheme, brackets, port and mask off what may be a host; empty when it is something else."""
    if "://" in host:
        parts = urlsplit(host)
        return (parts.hostname or "") if parts.scheme.lower() in _HOST_URL else ""
    bare, slash, mask = host.partition("/")
    if slash and mask.isdigit() and parse_ip(bare):
        return bare
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::\d+)?", host)
    if bracketed:
        return bracketed[1]
    with_port = re.fullmatch(r"([^:@/]+):\d+", host)
    return with_port[1] if with_port else ""


def _advise_times(signed: Description, authority: Description, now: datetime) -> Iterator[Finding]:
    if signed.not_after > authority.not_after:
        end = f"{authority.not_after:%Y-%m-%d}"
        hours = (authority.not_after - signed.not_before).total_seconds() // 3600
        yield Finding(
            f"valid until {signed.not_after:%Y-%m-%d}, but its CA only until {end}",
            f"use an expiry of at most {hours:.0f}h, or renew the CA first",
        )
    if signed.not_before > now:
        yield Finding(f"not valid before {signed.not_before:%Y-%m-%d %H:%M} UTC", "remove not_before to use it now")


def _advise_usages(signed: Description, role: str) -> Iterator[Finding]:
    word = next((word for word in (role, signed.common_name) if _ROUTE.search(word)), "")
    missing = [usage for usage in ("server auth", "client auth") if usage not in signed.usages]
    if word and missing and not signed.is_ca and "any" not in signed.usages:
        yield Finding(
            f"{quoted(word)} seems to be for routes, whose two ends are server and client in turn; "
            f"it lacks {' and '.join(missing)}",
            f"add {' and '.join(map(quoted, missing))} to the usages",
        )
