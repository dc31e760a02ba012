"""Listening sockets."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

from natsctl.errors import ServerError

__all__ = ["BACKLOG", "ListenError", "advertised", "join_address", "listen", "reachable"]

BACKLOG = 4096
"""Connections the kernel may hold for us; a thousand clients of a restarted broker come at once."""


class ListenError(ServerError):
    """An address cannot be listened on.

    Attributes:
        reason: Why, as the system says it.
    """

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f'Error listening on port: {address}, "{reason}"')
        self.reason = reason


def listen(host: str, port: int) -> list[socket.socket]:
    """Bind an address, on every address a name resolves to; port -1 picks a free one, the same for all.

    Raises:
        ListenError: The name does not resolve, or the address is taken or not ours.
    """
    wanted = max(port, 0)
    try:
        found = socket.getaddrinfo(host or None, wanted, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError, OverflowError) as error:
        reason = error.strerror if isinstance(error, socket.gaierror) else str(error)
        raise ListenError(join_address(host, wanted), f"listen tcp: lookup {host}: {reason}") from None
    opened: list[socket.socket] = []
    try:
        for family, kind, proto, _, address in dict.fromkeys(found):
            opened.append(_bind(family, kind, proto, (address[0], wanted, *address[2:])))
            wanted = opened[0].getsockname()[1]
    except OSError as error:
        for each in opened:
            each.close()
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        address_text = join_address(host, wanted)
        raise ListenError(address_text, f"listen tcp {address_text}: bind: {reason}") from None
    return opened


def _bind(family: int, kind: int, proto: int, address: tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, kind, proto)
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            with suppress(OSError):
                # "::" takes IPv4 clients too, as it does for nats-server; other addresses have no choice.
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def join_address(host: str, port: int) -> str:
    """Write host and port as one, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def advertised(advertise: str, host: str, port: int) -> tuple[str, int]:
    """Take ``host[:port]`` apart; what it does not say is as it really is."""
    if not advertise:
        return host, port
    name, colon, number = advertise.rpartition(":")
    if colon and number.isdigit() and not name.endswith(":"):
        return name.strip("[]"), int(number)
    return advertise.strip("[]"), port


def reachable(host: str) -> str:
    """An address to connect to, for one that was listened on."""
    if host in ("0.0.0.0", ""):
        return "127.0.0.1"
    if host == "::":
        return "[::1]"
    return f"[{host}]" if ":" in host else host
