"""Calling other servers until they answer.

Source: nats-server ``route.go`` (connectToRoute), ``leafnode.go`` (connectToRemoteLeafNode), ``server.go``
(getRandomIP, shouldReportConnectErr).
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import Callable, Container
from dataclasses import dataclass

from natsctl.broker.listener import join_address
from natsctl.broker.logs import Logger

__all__ = ["DIAL_TIMEOUT_S", "RETRY_DELAY_S", "Address", "Reports", "dial", "jitter", "resolve"]

DIAL_TIMEOUT_S = 1.0
RETRY_DELAY_S = 1.0
_JITTER_S = 0.1


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is called."""

    host: str
    port: int

    def __str__(self) -> str:
        return join_address(self.host, self.port)


@dataclass(slots=True)
class Reports:
    """Which failed attempts are errors in the log; the others are there for debugging only.

    Attributes:
        first: Of the attempts to reach a server that never was reached: the first, and then each so-many-th.
        again: The same of one that was lost.
    """

    first: int = 3600
    again: int = 1

    def tells(self, attempt: int, *, is_first: bool) -> bool:
        """Whether to report an attempt."""
        every = self.first if is_first else self.again
        return attempt == 1 or (every > 0 and attempt % every == 0)


def jitter() -> float:
    """A little time by which servers that call each other at once do not do so again.

    Units: seconds.
    """
    return random.uniform(0, _JITTER_S)


async def resolve(address: Address, but: Container[tuple[str, int]] = ()) -> list[Address]:
    """Find the addresses of a host, in random order.

    Args:
        address: A name or an IP address, and a port.
        but: Addresses that are not meant: our own.

    Raises:
        OSError: The name does not resolve.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OSError(f"lookup {address.host}: {reason.lower()}") from None
    unique = dict.fromkeys((str(each[4][0]), int(each[4][1])) for each in found)
    ips = [Address(*pair) for pair in unique if pair not in but]
    random.shuffle(ips)
    return ips


async def dial(
    address: Address,
    make: Callable[[], asyncio.BaseProtocol],
    *,
    log: Logger,
    what: str,
    but: Container[tuple[str, int]] = (),
    timeout_s: float = DIAL_TIMEOUT_S,
) -> bool:
    """Make one attempt to connect.

    Args:
        address: Whom to call.
        make: Gives the protocol of the connection.
        log: Told of the attempt.
        what: What is connected to, for the log: ``to route on``.
        but: Addresses that are not meant: our own.
        timeout_s: How long it may take.

    Returns:
        Whether there is a connection; without one, and without an error, all addresses are our own.

    Raises:
        OSError: The server cannot be reached; the message says why.
    """
    ips = await resolve(address, but)
    if not ips:
        return False
    chosen = ips[0]
    log.debug(f"Trying to connect {what} {address} ({chosen})")
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            await loop.create_connection(make, chosen.host, chosen.port)
    except TimeoutError:
        raise OSError(f"dial tcp {chosen}: i/o timeout") from None
    except OSError as error:
        # asyncio's own loop puts words of its own into the error.
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise OSError(f"dial tcp {chosen}: connect: {reason}") from None
    return True
