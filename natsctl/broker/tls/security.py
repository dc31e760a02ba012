"""What all encrypted connections of a broker share."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from natsctl.broker.logs import Logger
from natsctl.broker.tls.context import client_facing_context
from natsctl.broker.tls.rate_limit import RateLimit
from natsctl.config.options import TlsOptions

__all__ = ["Security"]

_READ_BYTES = 262144
_MAX_THREADS = 4


class Security:
    """The TLS side of the port for clients.

    A handshake costs about as much as ten thousand messages. It is computed in threads that do nothing else, so that
    a thousand clients at once delay each other and nobody who is connected.

    Args:
        options: The ``tls`` block.
        allows_plain: Whether clients may do without TLS.
        log: Told of handshakes that failed, or were refused by the rate limit.
    """

    def __init__(self, options: TlsOptions, allows_plain: bool, log: Logger) -> None:
        self.options = options
        self.log = log
        self.allows_plain = allows_plain and not options.is_always_first
        self.context = client_facing_context(options)
        if options.pinned_certs or options.verify_and_map:
            # It takes 60 ms to import, and they must not be those of the first client.
            import natsctl.pki.presented  # noqa: F401
        self.pins = frozenset(pin.lower() for pin in options.pinned_certs)
        self.rate_limit = RateLimit(
            options.connection_rate_limit, lambda n: log.warn(f"Rejected {n} connections due to TLS rate limiting")
        )
        threads = min(max((os.cpu_count() or 1) - 1, 1), _MAX_THREADS)
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix="natsctl-tls")
        self.read_buffer = memoryview(bytearray(_READ_BYTES))
        """Shared by all connections: what is read is taken over before the loop goes on."""

    def close(self) -> None:
        """Begin no further handshake."""
        self.threads.shutdown(wait=False, cancel_futures=True)
