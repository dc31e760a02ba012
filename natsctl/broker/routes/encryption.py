"""TLS between servers: both show certificates, and nothing is said in clear."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple, Self

from natsctl.broker.logs import Logger
from natsctl.broker.tls.outgoing import Encryption
from natsctl.broker.tls.security import Security
from natsctl.config.options import ClusterOptions

__all__ = ["RouteTls"]


class RouteTls(NamedTuple):
    """How routes are encrypted.

    Attributes:
        incoming: Those that other servers open.
        outgoing: Those that we open.
    """

    incoming: Security
    outgoing: Encryption

    @classmethod
    def of(cls, options: ClusterOptions, log: Logger) -> Self | None:
        """Make it of the options; None where routes are in clear.

        Raises:
            OSError: A certificate cannot be loaded.
        """
        if options.tls is None:
            return None
        served = replace(options.tls, verify=True, handshake_first_s=math.inf)
        return cls(Security(served, allows_plain=False, log=log), Encryption(options.tls, log))
