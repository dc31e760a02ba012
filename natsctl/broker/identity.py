"""Who the broker says it is: its keys, its INFO document.

Source: nats-server ``server.go`` (Info, createClient, generateInfoJSON).
"""

from __future__ import annotations

import platform

from natsctl.broker.listener import advertised
from natsctl.config import Options
from natsctl.protocol import nkey
from natsctl.protocol.documents import PROTOCOL_RELEASE, Info

__all__ = ["Identity"]

_API_LEVEL = 5
"""Level of the JetStream API that clients of release 2.15 expect a server to state."""


class Identity:
    """The broker's id, name and address, as INFO states them.

    The keys are made anew at each start and live only in the process.
    """

    def __init__(self, options: Options) -> None:
        # Both keys come from PyNaCl, which takes 20 ms to import: only a process that starts a broker pays.
        from nacl.public import PrivateKey
        from nacl.signing import SigningKey

        self.server_id = nkey.encode_public(nkey.SERVER, bytes(SigningKey.generate().verify_key))
        self.xkey = nkey.encode_public(nkey.CURVE, bytes(PrivateKey.generate().public_key))
        self.runtime = f"python{platform.python_version()}"
        self.server_name = options.server_name or self.server_id
        self.host, self.port = options.host, options.port
        self.cluster = options.cluster.name
        self.cluster_is_dynamic = False
        """Whether another cluster name would be taken."""
        self.connect_urls: list[str] = []
        """Where clients reach the servers of the cluster, this one first; empty when they are not told."""

    def listen_on(self, host: str, port: int, advertise: str) -> None:
        """State this address, unless another (``host[:port]``) is to be advertised."""
        self.host, self.port = advertised(advertise, host, port)

    def info(
        self,
        *,
        options: Options,
        auth_required: bool,
        client_id: int,
        client_ip: str,
        nonce: str = "",
        account: str = "",
    ) -> Info:
        """Make the INFO of one connection; with an account it is the one that follows the first PONG."""
        return Info(
            server_id=self.server_id,
            server_name=self.server_name,
            version=PROTOCOL_RELEASE,
            proto=1,
            go=self.runtime,
            host=self.host,
            port=self.port,
            headers=not options.no_header_support,
            max_payload=options.max_payload,
            auth_required=auth_required,
            tls_required=options.is_tls_required,
            tls_verify=options.tls is not None and options.tls.wants_certificate,
            tls_available=options.tls is not None and options.allow_non_tls,
            client_id=client_id,
            client_ip=client_ip,
            nonce=nonce,
            cluster=self.cluster,
            cluster_dynamic=self.cluster_is_dynamic,
            connect_urls=self.connect_urls,
            connect_info=bool(account),
            remote_account=account,
            api_lvl=_API_LEVEL,
            xkey=self.xkey,
        )
