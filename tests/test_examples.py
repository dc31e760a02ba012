"""The examples do what their first lines promise."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from natsctl.errors import AuthError
from natsctl.ops.connection import Connection, connect
from natsctl.ops.receive import receiving
from natsctl.ops.request import Gathering, gather
from natsctl.ops.settings import Settings
from natsctl.testing import run_broker
from tests.cli.conftest import running_server

EXAMPLES = Path(__file__).parents[1] / "examples"

WRITTEN = {
    "embedding.py": r"(kitchen: \d\d\.\d °C\n){3}",
    "two_phase_request.py": r"painted by T[io]ck\nwashed by T[io]ck\ndried by T[io]ck\n",
    "heartbeat_request.py": r"slow: DONE\ndead: no heartbeat for 0.5 s\n",
    "gather.py": r"nodes: 3 answers: north south harbour\nchatter: some answers, and an end\nnobody: 0 answers\n",
    "slow_consumer.py": r"alarms: 1000 of 1000 received\nvideo: [1-9]\d* of 1000 dropped by the client\n"
    r"connections cut by the broker: 0\n",
}
"""Program to what it writes."""


@pytest.mark.parametrize("name", WRITTEN)
def test_an_example_runs_without_a_warning(name: str) -> None:
    command = [sys.executable, "-X", "dev", "-W", "error", str(EXAMPLES / name)]
    shown = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=30)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert re.fullmatch(WRITTEN[name], shown.stdout), shown.stdout


def test_the_example_with_the_fixture_passes() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLES / "test_with_fixture.py")]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "3 passed" in shown.stdout


def test_the_list_of_examples_is_complete() -> None:
    listed = re.findall(r"^\| `(\S+)` \|", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted([*listed, "README.md"]) == sorted(path.name for path in EXAMPLES.iterdir() if path.is_file())
    assert set(listed) == {*WRITTEN, "test_with_fixture.py", "nats.conf"}


# ---- users and permissions


@pytest.fixture(scope="module", params=["natsctl", "nats-server"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with the users of nats.conf: ours, and the official one."""
    config = EXAMPLES / "nats.conf"
    if request.param == "natsctl":
        with run_broker(config=config) as server:
            yield server.url
    else:
        with running_server(tmp_path_factory.mktemp("shop"), config.read_text(encoding="utf-8")) as official:
            yield official


@asynccontextmanager
async def login(url: str, user: str) -> AsyncIterator[Connection]:
    async with connect(Settings(servers=(url,), user=user, password="example")) as connection:
        yield connection


async def test_a_packer_gets_the_orders_of_the_web_shop(url: str) -> None:
    async with (
        login(url, "web") as web,
        login(url, "packer") as packer,
        receiving(packer, ["orders.*.new"], queue="packers") as orders,
    ):
        await web.publish("orders.eu.new", b"tea")
        assert [order.body for order in await orders.take(5)] == [b"tea"]


async def test_the_web_shop_is_told_a_price(url: str) -> None:
    async with login(url, "web") as web, login(url, "prices") as prices, receiving(prices, ["price"]) as questions:
        async with aclosing(gather(web, "price", b"tea", until=Gathering(5.0))) as answers:
            asking = asyncio.ensure_future(anext(answers))
            question = (await questions.take(5))[0]
            await prices.publish(question.reply, b"4.20")
            assert (await asking).message.body == b"4.20"
        with pytest.raises(AuthError, match="not allowed to publish"):
            await prices.publish(question.reply, b"once more")
            await prices.flush()


async def test_the_auditor_sees_everything_but_inboxes(url: str) -> None:
    async with login(url, "web") as web, login(url, "auditor") as auditor, receiving(auditor, [">"]) as seen:
        await web.publish("orders.eu.new", b"tea", reply="_INBOX.web.1")
        assert [message.subject for message in await seen.take(5)] == ["orders.eu.new"]
        with pytest.raises(AuthError, match=r'not allowed to subscribe to "_INBOX\.web\.1"'):
            async with receiving(auditor, ["_INBOX.web.1"]):
                pass


@pytest.mark.parametrize(
    ("user", "subject"),
    [
        ("web", "orders.eu.packed"),
        ("packer", "orders.eu.new"),
        ("prices", "price"),
        ("auditor", "orders.eu.new"),
    ],
)
async def test_nobody_publishes_what_is_not_theirs(url: str, user: str, subject: str) -> None:
    async with login(url, user) as connection:
        with pytest.raises(AuthError, match=f'not allowed to publish to "{subject}"'):
            await connection.publish(subject)
            await connection.flush()


@pytest.mark.parametrize(("user", "queue"), [("web", ""), ("packer", ""), ("packer", "thieves"), ("prices", "")])
async def test_nobody_takes_orders_who_should_not(url: str, user: str, queue: str) -> None:
    async with login(url, user) as connection:
        with pytest.raises(AuthError, match=r'not allowed to subscribe to "orders\.\*\.new"'):
            async with receiving(connection, ["orders.*.new"], queue=queue):
                pass


async def test_a_wrong_password_opens_nothing(url: str) -> None:
    with pytest.raises(AuthError):
        async with connect(Settings(servers=(url,), user="web", password="guess")):
            pass
