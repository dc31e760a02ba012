"""Brokers that take routes, and peers that speak the route protocol by hand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from natsctl.broker import Broker
from natsctl.config.options import ClusterOptions
from tests.support.wire import WireClient

__all__ = ["ALONE", "about", "calling", "clustered", "info_line", "joined", "login_line", "stranger"]

ALONE = ClusterOptions(name="C", host="127.0.0.1", port=-1)


@asynccontextmanager
async def clustered(name: str = "us", *, cluster: ClusterOptions = ALONE, **options: Any) -> AsyncIterator[Broker]:
    """Run a broker that takes routes."""
    async with Broker(host="127.0.0.1", port=-1, server_name=name, cluster=cluster, **options) as broker:
        yield broker


def calling(*others: Broker, login: str = "", base: ClusterOptions = ALONE) -> ClusterOptions:
    """The cluster of a broker that connects to others."""
    return replace(base, routes=[f"nats://{login}127.0.0.1:{other.mesh.port}" for other in others])


def about(server_id: str = "PEER", **fields: Any) -> dict[str, Any]:
    """What a peer says of itself."""
    document = {"server_id": server_id, "server_name": server_id.lower(), "version": "2.15.1", "proto": 1}
    return document | {"host": "127.0.0.1", "port": 1, "headers": True, "cluster": "C", "max_payload": 1048576} | fields


def login_line(**fields: Any) -> bytes:
    """A peer's CONNECT."""
    return b"CONNECT " + json.dumps({"name": "PEER", "cluster": "C", "headers": True} | fields).encode() + b"\r\n"


def info_line(**fields: Any) -> bytes:
    """A peer's INFO."""
    return b"INFO " + json.dumps(about(**fields)).encode() + b" \r\n"


@asynccontextmanager
async def stranger(broker: Broker) -> AsyncIterator[WireClient]:
    """Connect to the port for routes, and say nothing."""
    async with await WireClient.open(broker.mesh.port) as peer:
        yield peer


@asynccontextmanager
async def joined(broker: Broker, server_id: str = "PEER", **fields: Any) -> AsyncIterator[WireClient]:
    """Connect to the port for routes as a server."""
    async with stranger(broker) as peer:
        await peer.send(login_line(name=server_id) + info_line(server_id=server_id, **fields))
        await peer.sync()
        yield peer
