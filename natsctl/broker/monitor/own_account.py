"""What an account is told of itself on request: its connections, and what it moves.

Source: nats-server ``events.go`` (zReq, filterRequest, registerSystemImports), ``monitor.go`` (ConnzOptions).
"""

from __future__ import annotations

from itertools import islice
from urllib.parse import urlencode

import msgspec

from natsctl.broker.monitor.accounts import accstatz
from natsctl.broker.monitor.connz import connz
from natsctl.broker.monitor.query import BadQueryError, Query
from natsctl.broker.monitor.source import MonitoredBroker, Source
from natsctl.broker.monitor.turns import Turns
from natsctl.monitoring.documents import encode

__all__ = ["OwnAccount"]

_ROWS_PER_TURN = 64
_STATES = ("open", "closed", "any")
_BAD_REQUEST, _INTERNAL_ERROR = 400, 500


class _Request(msgspec.Struct, kw_only=True):
    """Which servers are to answer. An empty payload asks all, and for everything."""

    server_name: str = ""
    cluster: str = ""
    host: str = ""
    tags: list[str] = []
    domain: str = ""
    exact_match: bool = False


class _ConnzRequest(_Request):
    sort: str = ""
    auth: bool = False
    subscriptions: bool = False
    subscriptions_detail: bool = False
    offset: int = 0
    limit: int = 0
    cid: int = 0
    mqtt_client: str = ""
    state: int = 0
    user: str = ""

    def query(self, account: str) -> Query:
        """The same as the query of a page; whatever account was asked for, it is that of who asks."""
        parameters = {
            "sort": self.sort,
            "auth": int(self.auth),
            "subs": "detail" if self.subscriptions_detail else int(self.subscriptions),
            "offset": self.offset,
            "limit": self.limit,
            "cid": self.cid,
            "mqtt_client": self.mqtt_client,
            "state": _STATES[self.state] if 0 <= self.state < len(_STATES) else self.state,
            "user": self.user,
            "acc": account,
        }
        return Query(urlencode(parameters).encode())


class OwnAccount:
    """Answers the requests of accounts, in small pieces, so that messages do not wait.

    Task: one request after the other, on the broker's loop.
    """

    def __init__(self, broker: MonitoredBroker) -> None:
        self._source = Source(broker, "")
        self._turns = Turns()

    async def answer(self, name: str, account: str, payload: bytes) -> dict[str, object] | None:
        """Answer one request.

        Args:
            name: ``CONNZ`` or ``STATZ``.
            account: Who asks.
            payload: A JSON document that narrows it, or nothing.

        Returns:
            ``data`` or ``error``; None where another server was meant.
        """
        try:
            request = msgspec.json.decode(payload.strip() or b"{}", type=_ConnzRequest if name == "CONNZ" else _Request)
            if not self._is_meant(request):
                return None
            if isinstance(request, _ConnzRequest):
                return {"data": await self._connz(request.query(account))}
            return {"data": self._statz(account)}
        except (msgspec.MsgspecError, RecursionError) as error:
            return {"error": {"code": _BAD_REQUEST, "description": str(error)}}
        except BadQueryError as error:
            return {"data": None, "error": {"code": _INTERNAL_ERROR, "description": str(error)}}

    def _is_meant(self, request: _Request) -> bool:
        identity, options = self._source.broker.identity, self._source.broker.options
        asked = (request.server_name, request.host, request.cluster, request.domain)
        ours = (identity.server_name, identity.host, identity.cluster, "")
        agree = all(
            not wanted or (wanted == here if request.exact_match else wanted in here)
            for wanted, here in zip(asked, ours, strict=True)
        )
        return agree and set(request.tags) <= set(options.server_tags)

    async def _connz(self, query: Query) -> msgspec.Raw:
        found = connz(self._source, query)
        rows: list[bytes] = []
        while batch := list(islice(found.rows, _ROWS_PER_TURN)):
            rows += (encode(row, indent=0) for row in batch)
            await self._turns.take()
        head = encode(found.document, indent=0).removesuffix(b"]}")
        return msgspec.Raw(head + b",".join(rows) + b"]}")

    def _statz(self, account: str) -> msgspec.Raw:
        document = accstatz(self._source, Query(b"unused=1"))
        document.account_statz = [stat for stat in document.account_statz if stat.acc == account]
        return msgspec.Raw(encode(document, indent=0))
