"""A port that answers every request with the same bytes, for commands that run as processes of their own."""

from __future__ import annotations

import contextlib
import socketserver
import ssl
import threading
from collections.abc import Iterable, Iterator

__all__ = ["http_answer", "port_that_says"]


def http_answer(status: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    """An answer with a length, which may be a lie."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@contextlib.contextmanager
def port_that_says(answer: Iterable[bytes] | None, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Listen on a free port of 127.0.0.1 until the block ends.

    Args:
        answer: What each request is answered with before the connection is closed; None leaves it unanswered.
        tls: Speak TLS.
    """
    is_over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                connection = tls.wrap_socket(self.request, server_side=True) if tls else self.request
                connection.recv(65536)
                if answer is None:
                    is_over.wait()
                for chunk in answer or ():
                    connection.sendall(chunk)
                connection.close()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            is_over.set()
            server.shutdown()
