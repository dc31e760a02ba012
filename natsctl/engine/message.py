"""A message on its way, as the slow paths of both engines and the whole pure one see it.

Source: nats-server ``client.go`` (msgHeader), ``route.go`` (msgHeaderForRouteOrLeaf).
"""

from __future__ import annotations

from typing import Any

from natsctl.engine.grammar import PublishArgs

__all__ = ["Message"]

_CRLF = b"\r\n"


class Message:
    """A publish on its way to its receivers, rendered at most once in each form.

    A receiver gets ``head + sid + tail``: only the sid differs between the receivers of one message.

    Attributes:
        source: The session that published it; None when it came from inside the broker.
        size: Bytes of headers and payload together.
        body: Headers and payload with the closing CRLF, as received.
    """

    __slots__ = ("body", "head", "header_size", "reply", "size", "source", "subject", "tail")

    def __init__(self, source: Any, args: PublishArgs, body: bytes) -> None:
        self.source = source
        self.subject, self.reply, header_text, size_text, self.header_size, self.size = args
        self.body = body
        # Sizes go out as the publisher wrote them ("007").
        if self.header_size:
            self.head = b"HMSG " + self.subject + b" "
            size_text = header_text + b" " + size_text
        else:
            self.head = b"MSG " + self.subject + b" "
        if self.reply:
            self.tail = b" %b %b\r\n%b" % (self.reply, size_text, body)
        else:
            self.tail = b" " + size_text + _CRLF + body

    def routed(self, account: bytes, queues: list[bytes]) -> bytes:
        """The frame for another server; ``account`` is empty for a leafnode, else it ends in a blank."""
        to = self.tail
        if queues:
            reply = b"+ %b" % self.reply if self.reply else b"|"
            to = b" %b %b%b" % (reply, b" ".join(queues), self.tail[len(self.reply) + 1 if self.reply else 0 :])
        verb = b"HMSG" if self.header_size else b"RMSG" if account else b"LMSG"
        return b"%b %b%b%b" % (verb, account, self.subject, to)

    def without_headers(self) -> Message:
        """The same message for a receiver that knows no headers."""
        size = self.size - self.header_size
        return Message(
            self.source, (self.subject, self.reply, b"", b"%d" % size, 0, size), self.body[self.header_size :]
        )
