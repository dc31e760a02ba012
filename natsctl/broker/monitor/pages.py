"""The pages by path, and what all of them have in common: counting, refusals, JSON as nats-server writes it.

Source: nats-server ``monitor.go`` (ResponseHandler, handleResponse); Go ``net/http`` for what is not found.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from email.utils import formatdate
from http import HTTPStatus
from itertools import islice

from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from natsctl.broker.monitor.accounts import accountz, accstatz
from natsctl.broker.monitor.connz import connz
from natsctl.broker.monitor.front import front_page
from natsctl.broker.monitor.healthz import healthz
from natsctl.broker.monitor.insides import stacks, variables
from natsctl.broker.monitor.leafz import leafz
from natsctl.broker.monitor.links import gatewayz, jsz
from natsctl.broker.monitor.metrics import CONTENT_TYPE, exposition
from natsctl.broker.monitor.query import BadQueryError, Query
from natsctl.broker.monitor.routez import routez
from natsctl.broker.monitor.source import Source
from natsctl.broker.monitor.subsz import subsz
from natsctl.broker.monitor.turns import Turns
from natsctl.broker.monitor.varz import varz
from natsctl.monitoring.documents import Document, encode

__all__ = ["Pages"]

_JSON = "application/json"
_CORS = {"access-control-allow-origin": "*"}
_ROWS_PER_TURN = 64

Page = Callable[[Query], Awaitable[Response]]
"""Answers one request; raises BadQueryError when it cannot be meant."""


class Pages:
    """The pages as an ASGI application. Any method is a GET: load balancers send what they like.

    Args:
        source: What they tell of.
        base_path: What every path begins with: empty, or ``/nats``.
    """

    def __init__(self, source: Source, base_path: str) -> None:
        self._source = source
        self._base_path = base_path
        self._turns = Turns()
        pages: dict[str, Page] = {
            "/": self._front,
            "/varz": self._document(lambda source, _: varz(source)),
            "/connz": self._connz,
            "/subsz": self._subsz,
            "/routez": self._document(routez),
            "/leafz": self._document(leafz),
            "/gatewayz": self._document(gatewayz),
            "/jsz": self._document(jsz),
            "/accountz": self._document(accountz),
            "/accstatz": self._document(accstatz),
            "/healthz": self._healthz,
            "/metrics": self._metrics,
            "/stacksz": self._stacksz,
            "/ipqueuesz": self._ipqueuesz,
            "/raftz": self._raftz,
            "/debug/vars": self._variables,
        }
        by_path = {(base_path + path).rstrip("/") or "/": (path, page) for path, page in pages.items()}
        by_path[f"{base_path}/subscriptionsz"] = by_path[f"{base_path}/subsz"]
        self._by_path = by_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._turns.take()
        response = await self._answer(scope)
        response.headers["date"] = formatdate(usegmt=True)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response:
        if scope["method"] == "CONNECT":  # would turn the connection into a tunnel
            return PlainTextResponse(status_code=HTTPStatus.METHOD_NOT_ALLOWED)
        found = self._by_path.get(scope["path"])
        if found is None:
            headers = {"x-content-type-options": "nosniff"}
            return PlainTextResponse("404 page not found\n", HTTPStatus.NOT_FOUND, headers)
        path, page = found
        self._source.requests[path] = self._source.requests.get(path, 0) + 1
        try:
            return await page(Query(scope["query_string"]))
        except BadQueryError as error:
            return PlainTextResponse(str(error).encode("utf-8", "surrogateescape"), HTTPStatus.BAD_REQUEST)

    # ---- pages of their own form

    async def _front(self, _: Query) -> Response:
        return HTMLResponse(front_page(self._source.broker.identity.server_name, self._base_path))

    async def _connz(self, query: Query) -> Response:
        found = connz(self._source, query)
        if found.is_of_nobody:
            return _json(encode(found.document).replace(b'"connections": []', b'"connections": null'))
        return self._stream(found.document, "connections", found.rows)

    async def _subsz(self, query: Query) -> Response:
        found = await subsz(self._source, query, self._turns)
        return self._stream(found.document, "subscriptions_list", found.rows)

    async def _healthz(self, query: Query) -> Response:
        found = healthz(self._source, query)
        status = HTTPStatus.OK if found.status == "ok" else HTTPStatus.BAD_REQUEST
        return _json(encode(found, indent=0), status)

    async def _metrics(self, query: Query) -> Response:
        return StreamingResponse(self._one_a_turn(exposition(self._source, query)), media_type=CONTENT_TYPE)

    async def _stacksz(self, _: Query) -> Response:
        return _json(stacks().encode("utf-8", "replace"))  # text, but nats-server says so too

    async def _ipqueuesz(self, query: Query) -> Response:
        query.boolean("all")
        return _json(b"{}")

    async def _raftz(self, _: Query) -> Response:
        return PlainTextResponse("No Raft nodes registered", HTTPStatus.NOT_FOUND)

    async def _variables(self, _: Query) -> Response:
        return _json(encode(variables(self._source)))

    # ---- documents

    def _document(self, make: Callable[[Source, Query], Document]) -> Page:
        """Make the page of a document that is made and written in one go."""

        async def page(query: Query) -> Response:
            return _json(encode(make(self._source, query)))

        return page

    def _stream(self, document: Document, key: str, rows: Iterator[Document]) -> Response:
        """Answer with a document whose last key is a list that may be long."""
        return StreamingResponse(self._write(document, key, rows), media_type=_JSON, headers=_CORS)

    async def _write(self, document: Document, key: str, rows: Iterator[Document]) -> AsyncIterator[bytes]:
        batch = list(islice(rows, _ROWS_PER_TURN))
        text = encode(document)
        if not batch:
            yield text
            return
        empty = b'"%b": []\n}' % key.encode()
        yield text.removesuffix(empty) if text.endswith(empty) else text.removesuffix(b"\n}") + b",\n  "
        opening = b'"%b": [' % key.encode()
        while batch:
            # The rows stand one level deeper than a list of their own would have them.
            yield opening + encode(batch)[1:-2].replace(b"\n", b"\n  ")
            opening = b","
            await self._turns.take()
            batch = list(islice(rows, _ROWS_PER_TURN))
        yield b"\n  ]\n}"

    async def _one_a_turn(self, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece
            await self._turns.take()


def _json(text: bytes, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(text, status, _CORS, _JSON)
