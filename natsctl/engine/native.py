"""The native engine: the same sessions as the pure one, with the compiled sublist, deliveries and outbox."""

from __future__ import annotations

from typing import Any

from natsctl.engine._native import NativeAccount, NativeCore, NativeLink
from natsctl.engine.api import Grant, Handler, Limits, LinkHandler, LinkKind
from natsctl.engine.interest import Linked
from natsctl.engine.link import LinkSession
from natsctl.engine.plane import Plane
from natsctl.engine.receiver import Receiving
from natsctl.engine.session import ClientSession

__all__ = ["LinkedAccount", "NativeEngine", "NativeLinkSession", "NativeSession"]


class LinkedAccount(Linked, NativeAccount):
    """A subject space. See :class:`natsctl.engine.routing.Account`."""

    __slots__ = ()


class NativeSession(ClientSession, Receiving, NativeCore):
    """One client. See :class:`natsctl.engine.api.Session` for the public face."""

    __slots__ = ("_introduced", "_ping_watch", "owner")

    def __init__(self, plane: Plane, owner: Any, grant: Grant | None) -> None:
        self.owner = owner
        self._begin_receiving(plane, grant or Grant(max_payload=-1))
        self._begin(grant is not None)

    def _classify(self) -> None:
        super()._classify()
        self._mirror()


class NativeLinkSession(LinkSession, NativeLink):
    """One connection to another server. See :class:`natsctl.engine.api.Link` for the public face."""

    __slots__ = ("_handler", "_interests", "owner")

    def __init__(self, plane: Plane, kind: LinkKind, owner: Any, handler: LinkHandler) -> None:
        self._begin(plane, kind, owner, handler)

    def _classify(self) -> None:
        self._mirror()


class NativeEngine(Plane):
    """See :class:`natsctl.engine.api.Engine`."""

    __slots__ = ()

    name = "native"

    def __init__(self, handler: Handler, limits: Limits) -> None:
        super().__init__(handler, limits, LinkedAccount)

    def open(self, owner: Any, grant: Grant | None) -> NativeSession:
        """Open a client session; without a grant it must CONNECT first."""
        return NativeSession(self, owner, grant)

    def open_link(self, kind: LinkKind, owner: Any, handler: LinkHandler) -> NativeLinkSession:
        """Open the session of a connection to another server."""
        return NativeLinkSession(self, kind, owner, handler)
