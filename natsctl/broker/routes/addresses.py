"""Where a server can be found: its own addresses, and those it tells of.

Source: nats-server ``server.go`` (getConnectURLs, getNonLocalIPsIfHostIsIPAny), ``route.go`` (routesToSelf).
"""

from __future__ import annotations

import socket
from ipaddress import ip_address

from natsctl.broker.listener import advertised, join_address

__all__ = ["client_urls", "own_addresses"]

_ANY = ("", "0.0.0.0", "::")


def _interface_ips() -> list[str]:
    import psutil  # only a server that listens on all its addresses has to know them

    families = (socket.AF_INET, socket.AF_INET6)
    found = [each.address for entries in psutil.net_if_addrs().values() for each in entries if each.family in families]
    return [address.partition("%")[0] for address in found]


def client_urls(advertise: str, host: str, port: int) -> list[str]:
    """Name the addresses where clients reach a server: what is advertised, or all that it listens on.

    Args:
        advertise: ``host[:port]``, or empty.
        host: What is listened on; all addresses of the machine stand for those that others can reach.
        port: The port.
    """
    if advertise or host not in _ANY:
        return [join_address(*advertised(advertise, host, port))]
    reachable = [ip for ip in _interface_ips() if _is_reachable(ip)]
    return [join_address(ip, port) for ip in reachable if host == "::" or ":" not in ip]


def _is_reachable(ip: str) -> bool:
    address = ip_address(ip)
    return not (address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified)


def own_addresses(ips: list[str], port: int) -> frozenset[tuple[str, int]]:
    """Name the addresses a server would reach itself by, so that it need not try.

    Args:
        ips: What it listens on.
        port: The port.
    """
    return frozenset((ip, port) for ip in (_interface_ips() if set(ips).intersection(_ANY) else ips))
