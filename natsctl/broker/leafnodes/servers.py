"""The servers of a hub: those that are configured, and those the hub tells of.

Source: nats-server ``leafnode.go`` (pickNextURL, updateLeafNodeURLs, saveTLSHostname, saveUserPassword).
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address

from natsctl.broker.dialer import Address
from natsctl.config.options import RemoteOptions
from natsctl.config.urls import LEAFNODE_PORT, server_url

__all__ = ["HubServer", "HubServers"]

_MAX_DISCOVERED = 1024
"""Servers remembered that a hub tells of."""


@dataclass(frozen=True, slots=True)
class HubServer:
    """One server of a hub, and how to log in there.

    Attributes:
        tls_name: Whose certificate it has to show.
        wants_tls: Whether its URL demands TLS.
    """

    address: Address
    tls_name: str
    wants_tls: bool = False
    user: str = ""
    password: str | None = field(default=None, repr=False)


def _parse(url: str) -> HubServer:
    """Read the URL of a hub.

    Raises:
        ValueError: It is none.
    """
    found = server_url(url, LEAFNODE_PORT)
    password = found.password if found.has_password else None
    wants_tls = url.lower().startswith("tls:")
    return HubServer(Address(found.host, found.port), found.host, wants_tls, found.user, password)


class HubServers:
    """Whom to call next."""

    def __init__(self, options: RemoteOptions) -> None:
        self._configured = [_parse(url) for url in options.urls]
        self._takes_discovered = not options.ignore_discovered_servers
        if not options.no_randomize:
            random.shuffle(self._configured)
        self._turns = deque(self._configured)

    @property
    def addresses(self) -> list[Address]:
        """Every server that is known."""
        return [server.address for server in self._turns]

    def next(self) -> HubServer:
        """Take the next one, and come back to it after all others."""
        server = self._turns[0]
        self._turns.rotate(-1)
        return server

    def learn(self, urls: Iterable[str]) -> None:
        """Hear from the hub which servers it has now; the configured ones stay."""
        if not self._takes_discovered:
            return
        known = {server.address for server in self._configured}
        discovered: dict[Address, HubServer] = {}
        for url in urls:
            try:
                server = self._like_configured(_parse(f"nats://{url}"))
            except ValueError:
                continue
            if server.address not in known and len(discovered) < _MAX_DISCOVERED:
                discovered[server.address] = server
        stays = [server for server in self._turns if server.address in known]
        self._turns = deque([*stays, *discovered.values()])

    def _like_configured(self, server: HubServer) -> HubServer:
        """A server that is only an address is one of those that were configured by name."""
        logins = [each for each in self._configured if each.user]
        names = [each.tls_name for each in self._configured if not _is_ip(each.tls_name)]
        return HubServer(
            server.address,
            names[0] if names and _is_ip(server.tls_name) else server.tls_name,
            any(each.wants_tls for each in self._configured),
            logins[0].user if logins else "",
            logins[0].password if logins else None,
        )


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
