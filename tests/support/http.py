"""A monitoring port asked by blocking code: one request a connection, nothing hidden."""

from __future__ import annotations

import http.client
import json
import re
from dataclasses import dataclass
from typing import Any

from tests.support.process import ServerProcess

__all__ = ["Answer", "ask", "monitor_port"]

_TIMEOUT_S = 15.0


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0]

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def document(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


def ask(port: int, path: str, method: str = "GET") -> Answer:
    """Send one request to a port of 127.0.0.1."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def monitor_port(server: ServerProcess) -> int:
    """The monitoring port of a server, as its log tells it."""
    found = re.search(r"Starting http monitor on \S+:(\d+)", server.log())
    assert found, server.log()
    return int(found[1])
