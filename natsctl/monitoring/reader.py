"""Read the documents of one monitoring port over HTTP; every failure becomes a sentence that says what to try."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import httpx

from natsctl.errors import LinkError, UsageError
from natsctl.monitoring.diagnosis import explain_answer, explain_failure, explain_status
from natsctl.monitoring.documents import (
    Accountz,
    Accstatz,
    Connz,
    Document,
    Gatewayz,
    Healthz,
    Jsz,
    Leafz,
    Routez,
    Subsz,
    Varz,
    decode,
)

__all__ = ["MAX_ANSWER_BYTES", "Param", "Reader", "TLSFiles"]

D = TypeVar("D", bound=Document)

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""The largest answer that is read: about 100,000 connections."""

Param = str | int | bool | None
"""A query parameter; None and False stand for one that is not sent."""


@dataclass(frozen=True, slots=True)
class TLSFiles:
    """How to trust a server, and how to be trusted by it.

    Attributes:
        ca: PEM file of the certificate authorities to trust, or None for the system's.
        cert: PEM file of the own certificate, or None.
        key: PEM file of its key; None when ``cert`` holds both.
        insecure: Trust any certificate.
    """

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    insecure: bool = False

    def context(self) -> ssl.SSLContext:
        """Load the files.

        Raises:
            UsageError: A file is missing or is not what it should be.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f'cannot load CA file "{self.ca}": {error.strerror or error}') from None
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.cert is not None:
            try:
                # A key with a passphrase would otherwise be asked for in the middle of the screen.
                context.load_cert_chain(self.cert, self.key, password=lambda: "")
            except (OSError, ssl.SSLError, ValueError) as error:
                raise UsageError(f'cannot load certificate "{self.cert}" with its key: {error}') from None
        return context


class Reader:
    """A monitoring port, read over one kept connection.

    All methods raise :class:`~natsctl.errors.LinkError` when no usable document came, with a hint what to try, and
    :class:`~natsctl.errors.UsageError` when the server refuses a parameter. Redirects are not followed, and proxies of
    the environment not used unless asked for.

    Args:
        url: Base URL, see :func:`~natsctl.monitoring.address.monitoring_url`.
        tls: Certificates, when the URL is HTTPS.
        connect_timeout_s: How long connecting may take.
        timeout_s: How long a request may take altogether.
        max_bytes: The largest answer that is read.
        trust_env: Go through ``HTTP_PROXY`` and its kin.

    Attributes:
        url: The base URL.
    """

    def __init__(
        self,
        url: str,
        *,
        tls: TLSFiles | None = None,
        connect_timeout_s: float = 3.0,
        timeout_s: float = 10.0,
        max_bytes: int = MAX_ANSWER_BYTES,
        trust_env: bool = False,
    ) -> None:
        self.url = url
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._client = httpx.AsyncClient(
            verify=(tls or TLSFiles()).context() if url.startswith("https:") else False,
            trust_env=trust_env,
            follow_redirects=False,
            timeout=httpx.Timeout(timeout_s, connect=min(connect_timeout_s, timeout_s)),
            limits=httpx.Limits(max_connections=2, max_keepalive_connections=1),
            # Nothing is unpacked, so that a small answer cannot become a large one.
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "natsctl"},
        )

    async def __aenter__(self) -> Reader:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def varz(self) -> Varz:
        """Read who the server is, its limits and its counters."""
        varz = await self._read("varz", Varz)
        if not varz.now and not varz.server_id:
            raise LinkError(
                "the answer is JSON, but not that of a NATS server",
                url=self.url,
                hint="check host, port and base path of the monitoring address",
            )
        return varz

    async def connz(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        sort: str | None = None,
        state: str | None = None,
        subs: bool | str = False,
        auth: bool = False,
        cid: int | None = None,
        user: str | None = None,
        acc: str | None = None,
        mqtt_client: str | None = None,
    ) -> Connz:
        """Read a page of connections.

        Args:
            limit: At most so many; the server's default is 1024.
            offset: Pass over so many.
            sort: The server's sort option, as ``cid``, ``bytes_to``, ``pending``, ``rtt``.
            state: ``open``, ``closed`` or ``any``.
            subs: List the subjects subscribed to, or with ``"detail"`` the subscriptions.
            auth: List users, accounts and certificates.
            cid: Only this connection.
            user: Only connections of this user.
            acc: Only connections of this account.
            mqtt_client: Only the connection of this MQTT client.
        """
        return await self._read(
            "connz",
            Connz,
            limit=limit,
            offset=offset,
            sort=sort,
            state=state,
            subs=subs,
            auth=auth,
            cid=cid,
            user=user,
            acc=acc,
            mqtt_client=mqtt_client,
        )

    async def subsz(
        self,
        *,
        subs: bool = False,
        test: str | None = None,
        acc: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> Subsz:
        """Read the state of the sublists.

        Args:
            subs: List the subscriptions.
            test: List only those that a message on this subject would reach.
            acc: Only this account.
            limit: At most so many subscriptions; the server's default is 1024.
            offset: Pass over so many.
        """
        return await self._read(
            "subsz", Subsz, subs=subs or test is not None, test=test, acc=acc, limit=limit, offset=offset
        )

    async def routez(self, *, subs: bool | str = False) -> Routez:
        """Read the routes to the other servers of the cluster."""
        return await self._read("routez", Routez, subs=subs)

    async def leafz(self, *, subs: bool = False, acc: str | None = None) -> Leafz:
        """Read the leafnode connections."""
        return await self._read("leafz", Leafz, subs=subs, acc=acc)

    async def gatewayz(self, *, accs: bool = False, gw_name: str | None = None) -> Gatewayz:
        """Read the connections to other clusters."""
        return await self._read("gatewayz", Gatewayz, accs=accs, gw_name=gw_name)

    async def accountz(self, *, acc: str | None = None) -> Accountz:
        """Read the names of the accounts, or one account in detail."""
        return await self._read("accountz", Accountz, acc=acc)

    async def accstatz(self, *, unused: bool = False) -> Accstatz:
        """Read the traffic of the accounts."""
        return await self._read("accstatz", Accstatz, unused=unused)

    async def jsz(self) -> Jsz:
        """Read the state of JetStream."""
        return await self._read("jsz", Jsz)

    async def healthz(
        self, *, details: bool = False, js_enabled_only: bool = False, js_server_only: bool = False
    ) -> Healthz:
        """Read whether the server may be sent work; a server that may not is an answer, not an error."""
        params: dict[str, Param] = {
            "details": details,
            "js-enabled-only": js_enabled_only,
            "js-server-only": js_server_only,
        }
        return await self._read("healthz", Healthz, **params)

    async def page(self, name: str, kind: type[D], params: Mapping[str, Param]) -> tuple[bytes, D]:
        """Read any page.

        Args:
            name: Its name, as ``varz``.
            kind: The document it holds.
            params: The parameters of its query; None and False stand for those that are not sent.

        Returns:
            The document as the server sent it, and typed.
        """
        query = {
            key: "1" if value is True else str(value) for key, value in params.items() if value not in (None, False)
        }
        status, headers, body = await self._answer(name, query)
        # A server that is not healthy says so in a document, with a status for load balancers.
        if status != 200 and not (kind is Healthz and body.startswith(b"{")):
            raise explain_status(self.url, name, status, headers, body)
        try:
            return body, decode(body, kind)
        except ValueError as error:
            raise explain_answer(self.url, name, headers, body, error) from None

    async def _read(self, name: str, kind: type[D], **params: Param) -> D:
        return (await self.page(name, kind, params))[1]

    async def _answer(self, page: str, query: dict[str, str]) -> tuple[int, httpx.Headers, bytes]:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._fetch(page, query)
        except TimeoutError:
            raise LinkError(
                f"no complete answer to /{page} within {self._timeout_s:g} s",
                url=self.url,
                hint="the server may be overloaded; allow more time, or ask for fewer connections",
            ) from None
        except httpx.InvalidURL as error:
            raise UsageError(f'invalid monitoring address "{self.url}": {error}') from None
        except httpx.HTTPError as error:
            raise await explain_failure(self.url, error) from None

    async def _fetch(self, page: str, query: dict[str, str]) -> tuple[int, httpx.Headers, bytes]:
        async with self._client.stream("GET", f"{self.url}/{page}", params=query) as answer:
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise LinkError(f"/{page} came compressed, which was not asked for", url=self.url)
            body = bytearray()
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > self._max_bytes:
                    raise LinkError(
                        f"the answer to /{page} is larger than {self._max_bytes} bytes",
                        url=self.url,
                        hint="ask for fewer connections at once",
                    )
        return answer.status_code, answer.headers, bytes(body)
