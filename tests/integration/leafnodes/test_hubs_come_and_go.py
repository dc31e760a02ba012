"""A reload that changes which hubs a leafnode connects to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from natsctl import Broker, Options
from natsctl.config.options import LeafOptions, RemoteOptions
from natsctl.errors import ReloadError
from tests.support.nodes import until
from tests.support.wire import WireClient


def hub() -> Broker:
    return Broker(Options(host="127.0.0.1", port=-1, leafnodes=LeafOptions(host="127.0.0.1", port=-1)))


def remote(of: Broker, **changes: object) -> RemoteOptions:
    return replace(RemoteOptions(urls=[of.leafnodes.url.replace("nats:", "nats-leaf:")]), **changes)  # type: ignore[arg-type]


def n_interests(broker: Broker) -> int:
    """How many subjects leafnodes want of a broker, the marks of loops aside."""
    links = [leaf.session for leaf in broker.leafnodes.joined]
    return sum(not interest.subject.startswith(b"$LDS.") for link in links for interest in link.interests())


async def reload(broker: Broker, *remotes: RemoteOptions) -> None:
    await broker.reload(replace(broker.options, leafnodes=replace(broker.options.leafnodes, remotes=list(remotes))))


async def test_new_hubs_are_joined_and_others_left() -> None:
    async with hub() as one, hub() as two, Broker() as leaf, await WireClient.open(leaf.port, protocol=0) as client:
        await client.send(b"SUB foo 1\r\n")
        await client.sync()
        await reload(leaf, remote(one))
        await until(lambda: n_interests(one) == 1)
        await reload(leaf, remote(one), remote(two))
        await until(lambda: n_interests(two) == 1)
        kept = one.leafnodes.joined
        for broker in (one, two):
            async with await WireClient.open(broker.port, protocol=0) as publisher:
                await publisher.send(b"PUB foo 2\r\nhi\r\n")
                assert await client.read() == b"MSG foo 1 2\r\nhi"
        await reload(leaf, remote(one), remote(two, disabled=True))
        await until(lambda: not two.leafnodes.joined)
        assert one.leafnodes.joined == kept, "who stays is not disturbed"
        await reload(leaf)
        await until(lambda: not one.leafnodes.joined)
        await reload(leaf, remote(two))
        await until(lambda: n_interests(two) == 1)


async def test_a_hub_that_was_never_reached_is_given_up() -> None:
    async with Broker() as leaf:
        async with hub() as gone:
            lost = remote(gone)
        await reload(leaf, lost)
        await reload(leaf)
        assert leaf.leafnodes.remotes == []


async def test_a_hub_that_stays_cannot_be_changed() -> None:
    async with hub() as one, Broker() as leaf:
        await reload(leaf, remote(one))
        with pytest.raises(ReloadError, match="LeafNode"):
            await reload(leaf, remote(one, deny_imports=["secret"]))
        await until(lambda: len(one.leafnodes.joined) == 1)
