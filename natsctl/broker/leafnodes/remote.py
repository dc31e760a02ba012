"""A hub that the broker keeps a connection to.

Source: nats-server ``leafnode.go`` (connectToRemoteLeafNode, reConnectToRemoteLeafNode).
"""

from __future__ import annotations

import asyncio
import random

from natsctl.broker.dialer import Reports, dial
from natsctl.broker.leafnodes.leaf import LeafHome
from natsctl.broker.leafnodes.servers import HubServer, HubServers
from natsctl.broker.leafnodes.solicited import SolicitedLeaf
from natsctl.broker.tls.outgoing import Encryption, OutgoingHandshake
from natsctl.config.options import RemoteOptions, TlsOptions
from natsctl.errors import ClosedReason

__all__ = ["Remote"]

_DELAY_JITTER = 0.1


class Remote:
    """Connects to one of a hub's servers, and to the next when that is lost, until it is stopped.

    Args:
        leafnodes: All leafnodes of the broker.
        options: The hub.
    """

    def __init__(self, leafnodes: LeafHome, options: RemoteOptions) -> None:
        self.options = options
        self.servers = HubServers(options)
        self._leafnodes = leafnodes
        self._encryption = Encryption(options.tls or TlsOptions(), leafnodes.host.log)
        self._task: asyncio.Task[None] | None = None
        self._leaf: SolicitedLeaf | None = None

    def start(self) -> None:
        """Connect, and keep connected."""
        self._task = asyncio.get_running_loop().create_task(self._keep_connected())

    def stop(self) -> None:
        """Make no new connection."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._leaf = None

    def leave(self) -> None:
        """Do without this hub from now on."""
        leaf = self._leaf
        self.stop()
        if leaf is not None:
            leaf.close(ClosedReason.CLIENT_CLOSED)

    async def _keep_connected(self) -> None:
        is_first = True
        while True:
            leaf = self._leaf = await self._call(is_first=is_first)
            is_first = False
            await leaf.gone.wait()
            self._leaf = None
            # Two that closed a circle from both sides must not come back at the same time and close it again.
            delay_s = leaf.delay_s * random.uniform(1, 1 + _DELAY_JITTER)
            await asyncio.sleep(max(self._leafnodes.options.reconnect_s, delay_s))

    async def _call(self, *, is_first: bool) -> SolicitedLeaf:
        """Call one server after the other until one answers."""
        host, options = self._leafnodes.host, self._leafnodes.options
        reports = Reports(host.options.connect_error_reports, host.options.reconnect_error_reports)
        attempt = 0
        while True:
            server = self.servers.next()
            try:
                return await self._dial(server)
            except OSError as error:
                attempt += 1
                text = f'Error trying to connect as leafnode to remote server "{server.address}" (attempt {attempt})'
                log = host.log.error if reports.tells(attempt, is_first=is_first) else host.log.debug
                log(f"{text}: {error}")
            await asyncio.sleep(options.reconnect_s + random.uniform(0, options.reconnect_s))

    async def _dial(self, server: HubServer) -> SolicitedLeaf:
        loop = asyncio.get_running_loop()
        leaf: SolicitedLeaf

        def make() -> OutgoingHandshake:
            nonlocal leaf
            leaf = SolicitedLeaf(self._leafnodes, loop, self.options, server, self.servers)
            tls = self.options.tls
            is_first = tls is not None and tls.handshake_first_s > 0
            return OutgoingHandshake(self._encryption, leaf, server.tls_name, None if is_first else leaf.wants_tls)

        timeout_s = self.options.dial_timeout_s or self._leafnodes.options.dial_timeout_s
        what = "as leafnode to remote server on"
        await dial(server.address, make, log=self._leafnodes.host.log, what=what, timeout_s=timeout_s)
        return leaf
