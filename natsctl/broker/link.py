"""A connection to another server, be it a route or a leafnode: what both do alike.

Source: nats-server ``client.go`` (processErr, processPingTimer, handleWriteTimeout).
Task: everything here runs on the broker's loop.
"""

from __future__ import annotations

from natsctl.broker.channel import Channel
from natsctl.broker.pinger import Pinger
from natsctl.broker.redact import trace_op, trace_payload
from natsctl.engine.api import Arrow, Link
from natsctl.errors import ClosedReason, WireError

__all__ = ["LinkChannel"]

_HEADER_END = 4


class LinkChannel(Channel):
    """A channel whose peer is a server; it is also what the engine's :class:`~natsctl.engine.api.LinkHandler` asks."""

    __slots__ = ()

    session: Link

    def _make_pinger(self) -> Pinger:
        return Pinger(
            self._ping_interval_s(),
            self._ping_max(),
            kind=self.kind,
            is_eager=True,
            send=self._ping,
            on_stale=self._go_stale,
            note=self.debug,
        )

    def _ping_interval_s(self) -> float:
        return self._host.options.ping_interval_s

    def _ping_max(self) -> int:
        return self._host.options.ping_max

    def _may_retry_writing(self) -> bool:
        """Clients have other servers to go to; a link that still moves is worth more than a new one."""
        return self._host.options.write_timeout != "close"

    def error(self, text: str) -> None:
        """Log what went wrong with this connection."""
        self._host.log.error(f"{self.tag} - {text}")

    def refuse(self, reason: ClosedReason, text: str) -> None:
        """Say no to the peer, and in the log."""
        self.session.fail(WireError(reason, wire=text, log=text))

    # ---- what the engine tells

    def on_pong(self, link: Link) -> None:
        """The peer answers pings."""
        self.pinger.pong()

    def on_peer_error(self, link: Link, text: str) -> None:
        """The peer says why it will hang up."""
        self.error(f"{self.peer_kind} Error '{text}'")
        self.close(ClosedReason.PARSE_ERROR)

    def on_loop_mark(self, link: Link, subject: bytes) -> None:
        """Only leafnodes go in circles."""

    def on_violation(self, link: Link, text: str) -> None:
        """The peer did what it may not."""
        self.error(text)

    def on_protocol_error(self, link: Link, error: WireError) -> None:
        """The peer is sent away."""
        if error.log is not None:
            self.error(error.log)
        self.close(error.reason)

    def on_pressure(self, link: Link) -> None:
        """Send what the kernel takes, and count what has left by now."""
        self.relieve()

    def on_slow_consumer(self, link: Link) -> None:
        """The peer reads too slowly for what it asked for."""
        self.overflow()

    def on_trace(self, link: Link, arrow: Arrow, verb: bytes, args: bytes) -> None:
        """A control line went in or out."""
        self._host.log.trace(f"{self.tag} - {arrow.value} {trace_op(verb, args)}")

    def on_trace_payload(self, link: Link, arrow: Arrow, payload: bytes, header_size: int) -> None:
        """A payload went in or out."""
        log = self._host.options.log
        if log.trace_headers:
            if not header_size:
                return
            payload = payload[: header_size - _HEADER_END]
        self._host.log.trace(f"{self.tag} - {arrow.value} {trace_payload(payload, log.max_traced_msg_len)}")
