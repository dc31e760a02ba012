"""Which servers may connect: by their certificate where the configuration says so, else by user and password.

Source: nats-server ``auth.go`` (isRouterAuthorized, dnsAltNameMatches).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from natsctl.broker.auth import verify_password
from natsctl.broker.routes.documents import RouteConnect
from natsctl.broker.tls.mapping import CertificateMap
from natsctl.broker.tls.session import TlsSession
from natsctl.config.options import ClusterOptions
from natsctl.config.urls import server_url

__all__ = ["is_admitted", "is_known"]


def is_admitted(options: ClusterOptions, connect: RouteConnect) -> bool:
    """Whether a server knows user and password; takes its time where the password is a bcrypt hash."""
    if not options.user:
        return True
    given = connect.user.encode("utf-8", "replace")
    is_user = hmac.compare_digest(options.user.encode(errors="surrogateescape"), given)
    return verify_password(options.password, connect.password) and is_user


def is_known(options: ClusterOptions, session: TlsSession | None, note: Callable[[str], None]) -> bool:
    """Whether the certificate of a server is for the host of a configured route, or for the user of the cluster."""
    maps_user = options.tls is not None and options.tls.verify_and_map and bool(options.user)
    if maps_user and CertificateMap([options.user]).user_of(session, note) is not None:
        return True
    if not options.knows_urls or session is None or not session.certificates:
        return False
    from natsctl.pki.certificates import load_certificates  # with a library that only such a cluster needs
    from natsctl.pki.verify import matches_host

    certificate = load_certificates(session.certificates[0], "the server's certificate")[0]
    return any(matches_host(certificate, server_url(url).host) for url in options.routes)
