"""Which URLs of peers a configuration may hold, and what is in them.

Source: Go ``net/url``, Parse; nats-server refuses what that refuses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from natsctl.config.document import Node, Place
from natsctl.config.readers import string
from natsctl.config.schema import RefusedError, Report
from natsctl.config.words import quoted

__all__ = ["LEAFNODE_PORT", "ServerUrl", "is_url", "server_url", "url", "warn_of_duplicates"]

LEAFNODE_PORT = 7422
"""Where hubs take leafnodes, unless a URL says otherwise."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*):(?P<rest>.*)", re.DOTALL)
_AUTHORITY = re.compile(r"//(?P<authority>[^/?#]*)(?P<path>[^?#]*)", re.DOTALL)
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_USER = re.compile(r"(?:[A-Za-z0-9._:~!$&'()*+,;=@-]|%[0-9a-fA-F]{2})*")
_BRACKETED = re.compile(r"\[(?P<address>[^\]]*)\](?P<port>:\d*)?", re.ASCII)
_HOST = re.compile(r"""(?:[A-Za-z0-9._~!$&'()*+,;=:<>"-]|[^\x00-\x7f]|%[89a-fA-F][0-9a-fA-F])*""")
_ENDS_WITH_PORT = re.compile(r":-?[0-9]{1,5}$")
_PORT = re.compile(r":\d*", re.ASCII)


@dataclass(frozen=True, slots=True)
class ServerUrl:
    """Where another server is, and what to log in with there; both empty where nothing is given.

    Attributes:
        host: Empty for this machine, or where it is listened on for all its addresses.
        port: -1 stands for any.
        has_password: Whether there is a password, be it an empty one.
    """

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    has_password: bool = False

    @property
    def address(self) -> str:
        """Host and port, for people; without secrets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def server_url(text: str, default_port: int = 0) -> ServerUrl:
    """Take a URL such as ``nats-route://user:password@host:6222`` apart.

    Raises:
        ValueError: It is none, or has no port; the message does not repeat it.
    """
    found = _AUTHORITY.search(text)
    login, at, place = (found["authority"] if found else "").rpartition("@")
    user, colon, password = login.partition(":")
    host, _, port = place.rpartition(":") if _ENDS_WITH_PORT.search(place) else (place, "", str(default_port))
    if not found or not int(port):
        raise ValueError("must be a URL with a port, as nats://host:port")
    credentials = (unquote(user), unquote(password), bool(colon)) if at else ("", "", False)
    return ServerUrl(unquote(host.strip("[]")), int(port), *credentials)


def is_url(text: str) -> bool:
    """Whether Go would parse a text as a URL, which may be relative and lack a host."""
    text = text.strip()
    if _CONTROL.search(text) or text.startswith(":"):
        return False
    main, _, fragment = text.partition("#")
    if _BAD_ESCAPE.search(fragment):
        return False
    scheme = _SCHEME.fullmatch(main)
    rest = scheme["rest"] if scheme else main
    if scheme and not rest.startswith("/"):
        return True
    if not scheme and ":" in rest.split("?")[0].split("/")[0]:
        return False
    path = rest.split("?")[0]
    authority = _AUTHORITY.match(rest)
    if authority:
        path = authority["path"]
        if not _is_authority(authority["authority"]):
            return False
    return not _BAD_ESCAPE.search(path)


def _is_authority(text: str) -> bool:
    user, at, host = text.rpartition("@")
    if at and not _USER.fullmatch(user):
        return False
    if host.startswith("["):
        bracketed = _BRACKETED.fullmatch(host)
        return bracketed is not None and _is_ipv6(bracketed["address"])
    _, colon, port = host.rpartition(":")
    return _HOST.fullmatch(host) is not None and (not colon or _PORT.fullmatch(f":{port}") is not None)


def _is_ipv6(text: str) -> bool:
    from ipaddress import AddressValueError, IPv6Address

    try:
        IPv6Address(text.partition("%")[0])
    except AddressValueError:
        return False
    return True


def url(node: Node, report: Report) -> str:
    """Read one URL; it may hold a password, so a refusal does not repeat it."""
    text = string(node, report)
    if not is_url(text):
        raise RefusedError("must be a URL such as nats://host:port", node)
    return text.strip()


def warn_of_duplicates(urls: list[str], what: str, place: Place, report: Report) -> None:
    """Say which URL stands twice, without its credentials."""
    seen: set[str] = set()
    for text in urls:
        if text in seen:
            report.warn(place, f"duplicate {what} {quoted(text.rpartition('@')[2])}")
        seen.add(text)
