"""Where a monitoring port is: what an operator types, as the base of its URLs."""

from __future__ import annotations

from urllib.parse import urlsplit

from natsctl.errors import UsageError

__all__ = ["DEFAULT_PORT", "monitoring_url"]

DEFAULT_PORT = 8222
"""The port nats-server's documentation gives to monitoring."""


def monitoring_url(server: str, *, port: int = DEFAULT_PORT, tls: bool = False, base_path: str = "") -> str:
    """Complete a host, ``host:port`` or URL to the base URL of a monitoring port, without a slash at its end.

    Args:
        server: What was given; a scheme, port or path in it wins over the other arguments.
        port: Port when ``server`` names none.
        tls: Speak HTTPS when ``server`` has no scheme.
        base_path: The server's ``http_base_path``, when ``server`` has no path.

    Raises:
        UsageError: No address can be made of it.
    """
    text = server.strip()
    if "://" not in text:
        # A bare IPv6 address has colons of its own.
        text = f"[{text}]" if text.count(":") > 1 and not text.startswith("[") else text
        text = f"{'https' if tls else 'http'}://{text}"
    try:
        parts = urlsplit(text)
        host, given_port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UsageError(f'invalid monitoring address "{server}": {error}') from None
    if parts.scheme in ("nats", "tls", "ws", "wss"):
        hint = f"monitoring is HTTP on a port of its own: try http://{host}:{DEFAULT_PORT}"
        raise UsageError(f'"{server}" is an address for clients', hint=hint)
    if parts.scheme not in ("http", "https") or not host or any(char <= " " for char in host):
        raise UsageError(
            f'invalid monitoring address "{server}"', hint="write for example host, host:8222 or https://host"
        )
    if parts.username is not None:
        raise UsageError("a monitoring address takes no user or password", hint="monitoring has no login of its own")
    path = parts.path.rstrip("/") or base_path.strip("/")
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}:{given_port or port}{'/' if path and not path.startswith('/') else ''}{path}"
