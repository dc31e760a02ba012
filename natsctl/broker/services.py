"""What clients may ask the server itself, under ``$SYS``: who they are, and about the account they are in.

Source: nats-server ``events.go`` (registerSystemImports, ServerAPIResponse), ADR-39.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from natsctl.broker.auth import GLOBAL_ACCOUNT, SYSTEM_ACCOUNT
from natsctl.broker.service_subjects import PAGES, USER_INFO
from natsctl.broker.user_info import user_info
from natsctl.engine.api import Delivery, InternalSession
from natsctl.protocol.documents import PROTOCOL_RELEASE

if TYPE_CHECKING:
    from natsctl.broker.monitor.source import MonitoredBroker

__all__ = ["Services"]

_MAX_WAITING = 256
"""Requests about accounts that wait for their turn; further ones get no answer."""


class Services:
    """The services in every account.

    Args:
        broker: What they tell of.
        flush_soon: Sends what was published.

    Task: used on the broker's loop only; a task of its own answers what may take longer.
    """

    def __init__(self, broker: MonitoredBroker, flush_soon: Callable[[], None]) -> None:
        self._broker = broker
        self._flush_soon = flush_soon
        self._served: set[str] = set()
        self._n_answers = 0
        self._waiting: deque[tuple[InternalSession, Delivery]] = deque()
        self._answering: asyncio.Task[None] | None = None

    def serve_all(self) -> None:
        """Answer in every account there is from now on."""
        options = self._broker.options
        if options.no_system_account and not options.system_account:
            return  # without a system account there is nobody to answer $SYS requests
        system = options.system_account or SYSTEM_ACCOUNT
        for account in (GLOBAL_ACCOUNT, system, *(each.name for each in options.accounts)):
            if account not in self._served:
                self._served.add(account)
                internal = self._broker.engine.open_internal(account)
                for subject in (USER_INFO, *PAGES):
                    internal.subscribe(subject)

    def answer(self, session: InternalSession, request: Delivery) -> None:
        """Answer one request, now or soon; without a reply subject there is nobody to tell."""
        if not request.reply:
            return
        if request.subject == USER_INFO:
            if request.source is not None and request.source.owner is not None:
                self._reply(session, request, {"data": user_info(request.source.owner)})
        elif len(self._waiting) < _MAX_WAITING:
            self._waiting.append((session, request))
            if self._answering is None or self._answering.done():
                self._answering = asyncio.create_task(self._answer_waiting(), name="answer about accounts")

    def close(self) -> None:
        """Answer no more."""
        self._waiting.clear()
        if self._answering is not None:
            self._answering.cancel()

    async def _answer_waiting(self) -> None:
        from natsctl.broker.monitor.own_account import OwnAccount  # few ever ask

        own_account = OwnAccount(self._broker)
        while self._waiting:
            session, request = self._waiting.popleft()
            answer = await own_account.answer(PAGES[request.subject], session.account, request.payload)
            if answer is not None:
                self._reply(session, request, answer)
                self._flush_soon()

    def _reply(self, session: InternalSession, request: Delivery, answer: dict[str, Any]) -> None:
        session.publish(request.reply, msgspec.json.encode({"server": self._server(), **answer}))

    def _server(self) -> dict[str, Any]:
        options, identity = self._broker.options, self._broker.identity
        self._n_answers += 1
        server: dict[str, Any] = {
            "name": identity.server_name,
            "host": identity.host,
            "id": identity.server_id,
            "ver": PROTOCOL_RELEASE,
        }
        if options.server_tags:
            server["tags"] = options.server_tags
        if options.server_metadata:
            server["metadata"] = options.server_metadata
        server |= {"jetstream": False, "flags": 0, "seq": self._n_answers}
        server["time"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        return server
