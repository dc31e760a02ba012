"""Routes and leafnodes, and servers that are missing."""

from __future__ import annotations

from functools import partial

from natsctl.tui.screens.links import LinksScreen
from tests.support.pages import with_links
from tests.support.screens import opened, served, source_of, table_of, text_of
from tests.support.snapshots import URL, FakeServer

LINKED = partial(with_links, peers=("nats-2", "nats-3"))


async def test_routes_and_leafnodes_are_listed_with_what_the_other_end_is() -> None:
    async with opened(LinksScreen, served(LINKED)) as pilot:
        rows = table_of(pilot).rows
        assert [(row.kind, row.name, row.connections) for row in rows] == [
            ("route", "nats-2", 2),
            ("route", "nats-3", 2),
            ("spoke", "edge-berlin", 1),
            ("hub", "ngs", 1),
        ]
        assert "2 routes, 2 leafnodes" in text_of(pilot)


async def test_rates_come_with_the_next_poll_and_stay_when_it_is_drawn_again() -> None:
    server = served(LINKED)
    async with opened(LinksScreen, server) as pilot:
        source_of(pilot).play(LINKED(server.read().snapshots[-1]))
        await pilot.pause()
        await pilot.press("b", "b")
        await pilot.pause()
        first = table_of(pilot).rows[0]
    assert first.rates and first.rates.in_msgs_per_s == 200.0


async def test_a_peer_that_leaves_is_missing() -> None:
    server = served(LINKED)
    async with opened(LinksScreen, server) as pilot:
        source_of(pilot).play(with_links(server.read().snapshots[-1], peers=("nats-2",)))
        await pilot.pause()
        screen = text_of(pilot)
    assert "missing: nats-3" in screen
    assert "missing: was linked before" in screen


async def test_a_peer_that_leaves_while_another_screen_is_shown_is_missing_on_return() -> None:
    server = served(LINKED)
    async with opened(LinksScreen, server) as pilot:
        await pilot.press("3", "1")
        source_of(pilot).play(with_links(server.read().snapshots[-1], peers=("nats-2",)))
        await pilot.pause()
        await pilot.press("3")
        await pilot.pause()
        assert "missing: nats-3" in text_of(pilot)


async def test_a_watched_server_of_the_cluster_without_a_route_is_missing() -> None:
    here = served(partial(with_links, peers=("nats-2",)))
    there = FakeServer("http://127.0.0.1:8223", "nats-3").read(30)
    async with opened(LinksScreen, here, served(partial(with_links, peers=("nats-2",)), server=there)) as pilot:
        missing = [(row.server, row.name) for row in table_of(pilot).rows if row.is_missing]
        assert missing == [("nats-1", "nats-3"), ("nats-3", "nats-1")]
        assert "SERVER" in text_of(pilot)


async def test_links_are_asked_for_while_they_are_shown() -> None:
    async with opened(LinksScreen, served()) as pilot:
        assert (source_of(pilot).asked[URL].routez, source_of(pilot).asked[URL].leafz) == (True, True)
        await pilot.press("escape")
        await pilot.pause()
        assert (source_of(pilot).asked[URL].routez, source_of(pilot).asked[URL].leafz) == (False, False)
