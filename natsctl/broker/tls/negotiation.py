"""One handshake: what comes in, what goes out, and the computing between them.

On the server's side nothing is computed before the first record of a client is there as a whole; and then in threads.

Task: all but the computing runs on the broker's loop; while a thread computes, nothing is read.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from concurrent.futures import Executor

from natsctl.broker.tls.distrust import explain
from natsctl.broker.tls.faults import NOT_TLS, describe

__all__ = ["HANDSHAKE", "Negotiation"]

HANDSHAKE = 22
"""Type of the record that a ClientHello comes in."""
_RECORD_HEADER_BYTES = 5
_MAX_RECORD_BYTES = 16384


class Negotiation:
    """One side of a handshake: the server's, unless it is told to :meth:`call`.

    Args:
        transport: The socket's, which reads again only when more is needed.
        context: What is offered and demanded.
        threads: Where it is computed; None is the loop's own.
        complete: Called when both sides have what they need.
        fail: Called with the reason when they have not.

    Attributes:
        incoming: Records from the peer; what comes behind the handshake is still there at its end.
        outgoing: Records for the peer.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        context: ssl.SSLContext,
        threads: Executor | None,
        complete: Callable[[ssl.SSLObject], None],
        fail: Callable[[str], None],
    ) -> None:
        self._transport = transport
        self._context = context
        self._threads = threads
        self._complete = complete
        self._fail = fail
        self._hello = bytearray()
        self._tls: ssl.SSLObject | None = None
        self._step: asyncio.Future[None] | None = None
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()

    def call(self, server_name: str) -> None:
        """Begin as the client of a server that must have this name, where names are verified."""
        self._tls = self._context.wrap_bio(self.incoming, self.outgoing, server_hostname=server_name)
        self._advance(self._tls)

    def feed(self, data: memoryview) -> None:
        """Take in a piece of it."""
        if self._tls is not None:
            self.incoming.write(data)
            self._advance(self._tls)
            return
        self._hello += data
        size = int.from_bytes(self._hello[3:_RECORD_HEADER_BYTES], "big")
        if self._hello[0] != HANDSHAKE or size > _MAX_RECORD_BYTES:
            self._fail(NOT_TLS)
        elif len(self._hello) >= _RECORD_HEADER_BYTES + size:
            self._tls = self._context.wrap_bio(self.incoming, self.outgoing, server_side=True)
            self.incoming.write(self._hello)
            self._hello.clear()
            self._advance(self._tls)

    def cancel(self) -> None:
        """Go no further; nobody is told."""
        if self._step is not None:
            self._step.cancel()

    def _advance(self, tls: ssl.SSLObject) -> None:
        self._transport.pause_reading()
        self._step = asyncio.get_running_loop().run_in_executor(self._threads, tls.do_handshake)
        self._step.add_done_callback(lambda step: self._go_on(tls, step))

    def _go_on(self, tls: ssl.SSLObject, step: asyncio.Future[None]) -> None:
        if step.cancelled() or self._transport.is_closing():
            return
        error = step.exception()
        if self.outgoing.pending:
            self._transport.write(self.outgoing.read())
        if error is None:
            self._complete(tls)
        elif isinstance(error, ssl.SSLWantReadError):
            self._transport.resume_reading()
        elif isinstance(error, ssl.SSLCertVerificationError):
            self._fail(explain(error, tls))
        else:
            self._fail(describe(error))
