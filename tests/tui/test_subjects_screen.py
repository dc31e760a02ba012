"""All subscriptions, and the question who receives a message."""

from __future__ import annotations

from functools import partial

import msgspec

from natsctl.monitoring.documents import SubDetail
from natsctl.tui.screens.connection import ConnectionScreen
from natsctl.tui.screens.subjects import SubjectsScreen
from tests.support.pages import with_queue_group, with_receivers
from tests.support.screens import opened, served, source_of, table_of, text_of
from tests.support.snapshots import URL

TOGETHER = partial(with_queue_group, cids=(3, 4, 5))
RECEIVERS = (
    SubDetail(subject="drivers.*", sid="7", cid=5),
    SubDetail(subject="drivers.find", qgroup="manager", sid="90", cid=3),
    SubDetail(subject="drivers.find", qgroup="manager", sid="90", cid=4),
)


async def test_all_subscriptions_are_listed_with_clients_and_rates() -> None:
    async with opened(SubjectsScreen, served(TOGETHER)) as pilot:
        rows = table_of(pilot).rows
        assert ("drivers.find", "manager", "geo-cache", 62.5) in [
            (row.subject, row.queue, row.client, row.msgs_per_s) for row in rows
        ]


async def test_asking_who_receives_shows_receivers_and_a_verdict() -> None:
    server = served()
    async with opened(SubjectsScreen, server) as pilot:
        await pilot.press("w", *"drivers.find", "enter")
        await pilot.pause()
        assert source_of(pilot).asked[URL].test == "drivers.find"
        assert 'asking who receives "drivers.find"' in text_of(pilot)
        source_of(pilot).play(with_receivers(server.read().snapshots[-1], *RECEIVERS))
        await pilot.pause()
        assert '"drivers.find" reaches 1 subscription and one member each of 1 queue group' in text_of(pilot)
        assert [row.cid for row in table_of(pilot).rows] == [5, 3, 4]


async def test_a_poll_that_began_before_the_question_is_no_answer() -> None:
    server = served()
    async with opened(SubjectsScreen, server) as pilot:
        await pilot.press("w", "a", "enter")
        answer = with_receivers(server.read().snapshots[-1])
        source_of(pilot).play(msgspec.structs.replace(answer, taken_mono=0.0))
        await pilot.pause()
        assert "asking who receives" in text_of(pilot)


async def test_nobody_listening_is_said_clearly() -> None:
    server = served()
    async with opened(partial(SubjectsScreen, subject="drivers.fund"), server) as pilot:
        source_of(pilot).play(with_receivers(server.read().snapshots[-1]))
        await pilot.pause()
        assert 'nobody is listening to "drivers.fund"' in text_of(pilot)
        assert pilot.app.screen.query_one("#verdict").has_class("-nobody")


async def test_an_invalid_subject_is_refused_with_the_reason_and_not_asked() -> None:
    async with opened(SubjectsScreen, served()) as pilot:
        await pilot.press("w", *"drivers.*", "enter")
        await pilot.pause()
        assert "without the wildcards" in text_of(pilot)
        assert source_of(pilot).asked[URL].test is None


async def test_escape_goes_from_the_receivers_to_all_subscriptions_and_then_back() -> None:
    async with opened(partial(SubjectsScreen, subject="a"), served()) as pilot:
        assert source_of(pilot).asked[URL].test == "a"
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(pilot.app.screen, SubjectsScreen)
        assert source_of(pilot).asked[URL].test is None
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(pilot.app.screen, SubjectsScreen)


async def test_enter_shows_the_connection_of_a_subscription() -> None:
    async with opened(SubjectsScreen, served()) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, ConnectionScreen)


async def test_a_subscription_of_the_server_itself_has_no_connection_to_show() -> None:
    server = served()
    async with opened(partial(SubjectsScreen, subject="a"), server) as pilot:
        internal = SubDetail(subject=">", sid="1", cid=4711)
        source_of(pilot).play(with_receivers(server.read().snapshots[-1], internal))
        await pilot.pause()
        assert "(server)" in text_of(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, SubjectsScreen)
        await pilot.pause()
        assert "connection 4711 is not among" in text_of(pilot)
