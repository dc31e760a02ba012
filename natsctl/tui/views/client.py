"""How clients are called and counted on all screens."""

from __future__ import annotations

from natsctl.monitoring.diagnosis import printable
from natsctl.monitoring.documents import ConnInfo, Connz

__all__ = ["address", "called", "names_by_cid", "plural"]

INTERNAL = "(server)"
"""Who is subscribed when no connection has the cid: the server itself has some clients of its own."""


def address(ip: str, port: int) -> str:
    """Write where a peer is as ``ip:port``, with brackets around an IPv6 address; "" for one without address."""
    if not ip:
        return ""
    return f"[{printable(ip)}]:{port}" if ":" in ip else f"{printable(ip)}:{port}"


def called(conn: ConnInfo) -> str:
    """What operators know a client by: its name, else its user, else its host. Safe to print."""
    return printable(conn.name or conn.authorized_user or conn.mqtt_client or conn.ip) or f"cid {conn.cid}"


def names_by_cid(connz: Connz | None) -> dict[int, str]:
    """What the clients of a page are called, by cid."""
    return {conn.cid: called(conn) for conn in connz.connections} if connz else {}


def plural(number: int, noun: str) -> str:
    """Write a number of things, in the right number."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
