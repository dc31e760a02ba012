"""From the certificate of a client to the user it stands for.

Source: nats-server ``auth.go`` (checkClientTLSCertSubject).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from natsctl.broker.tls.session import TlsSession
from natsctl.protocol.quote import go_quote

if TYPE_CHECKING:
    from natsctl.pki.presented import PresentedCertificate

__all__ = ["CertificateMap"]


class CertificateMap:
    """The users that certificates may stand for.

    Args:
        users: Their names: mail addresses, host names, URIs or distinguished names.
    """

    def __init__(self, users: Iterable[str]) -> None:
        from natsctl.pki.presented import parse_name  # with a library that only such a broker needs

        self._users = frozenset(users)
        self._by_name = {name: user for user in self._users if (name := parse_name(user)) is not None}

    def user_of(self, session: TlsSession | None, note: Callable[[str], None]) -> str | None:
        """Find the user: by mail address, host name, URI, or distinguished name in any order.

        Args:
            session: The client's; None in clear.
            note: Takes a line for the debug log.
        """
        from natsctl.pki.presented import PresentedCertificate

        if session is None:
            note("User required in cert, no TLS connection state")
            return None
        if not session.certificates:
            note("User required in cert, no peer certificates found")
            return None
        try:
            return self._search(PresentedCertificate(session.certificates[0]), note)
        except ValueError as error:
            note(f"User required in cert, which cannot be read: {error}")
            return None

    def _search(self, certificate: PresentedCertificate, note: Callable[[str], None]) -> str | None:
        for what, names in (
            ("email", certificate.emails),
            ("SAN", certificate.dns_names),
            ("URI", certificate.uris),
        ):
            for name in names:
                if name in self._users:
                    note(f"Using {what} found in cert for auth [{_quoted(name)}]")
                    return name
        if (user := self._by_name.get(certificate.name)) is not None:
            note(f"Using DistinguishedNameMatch for auth [{_quoted(user)}]")
            return user
        note(f"User in cert [{_quoted(certificate.subject)}], not found")
        return None


def _quoted(text: str) -> str:
    return go_quote(text.encode("utf-8", "replace"))
