"""Monitoring pages recorded from nats-server 2.15.1 after a small play of clients, compared with ours."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.http import Answer, ask, monitor_port
from tests.support.process import NATSCTL, ServerProcess, running_server
from tests.support.rig import ENGINES
from tests.support.shapes import misfits

CHECKS = json.loads((Path(__file__).parent / "recordings" / "monitoring.json").read_text())["checks"]
ELSEWHERE = re.compile(r"info/|tls/|cluster/|.*(login error|payload error|max subs error)|connz \?sort=(last|idle)")
"""What is not about pages (INFO and errors, see the recordings of bytes; TLS and clusters, which have tests of their
own), or depends on when the server pings."""

CONFIGS = {
    "plain": 'server_name: mon1, max_payload: 65536, ping_interval: "90s"',
    "auth": "accounts { A { users: [ {user: alice, password: a}, {user: anna, password: a} ] }\n"
    "B { users: [ {user: bob, password: b} ] } }",
    "base": 'http_base_path: "/nats"',
    "end": "",
    "beyond": "max_closed_clients: 3, max_payload: 100, max_subscriptions: 2",
    "limits": "max_closed_clients: 3, max_payload: 100, max_subscriptions: 2",
}


class Talker:
    """A client that says what the recorded ones said."""

    def __init__(self, port: int, name: str, **fields: object) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._lines = self._socket.makefile("rb")
        self.info = json.loads(self._lines.readline()[5:])
        document = {"verbose": False, "pedantic": False, "lang": "raw", "version": "1.2.3", "protocol": 1, "name": name}
        document |= {"headers": True, "no_responders": True} | fields
        self._socket.sendall(b"CONNECT " + json.dumps(document).encode() + b"\r\n")

    def say(self, text: str) -> None:
        """Send lines, and wait until the server has carried them out."""
        self._socket.sendall(text.encode() + b"PING\r\n")
        while (line := self._lines.readline()) and line != b"PONG\r\n":
            pass

    def publish(self, subject: str, size: int, times: int) -> None:
        """Send some messages."""
        self.say(f"PUB {subject} {size}\r\n{'x' * size}\r\n" * times)

    def leave(self) -> None:
        """Close, in an orderly way."""
        self._socket.shutdown(socket.SHUT_WR)
        while self._lines.readline():
            pass
        self._lines.close()
        self._socket.close()


class Scene:
    """One server, and what the recorded clients did to it.

    Attributes:
        before: ``/varz``, ``/subsz`` and ``/connz`` before the first client came.
    """

    def __init__(self, server: ServerProcess, play: Callable[[int], list[Talker]], base_path: str = "") -> None:
        self.port = server.port
        self.http = monitor_port(server)
        self.before = {path: self.ask(base_path + path).document for path in ("/varz", "/subsz", "/connz")}
        self.talkers = play(server.port)

    def ask(self, path: str) -> Answer:
        """Ask for a page."""
        return ask(self.http, path)


def play_plain(port: int) -> list[Talker]:
    alpha = Talker(port, "alpha")
    alpha.say("SUB foo 1\r\nSUB foo.> 2\r\nSUB work workers 3\r\n")
    beta = Talker(port, "beta")
    beta.say("SUB bar 7\r\n")
    gamma = Talker(port, "gamma")
    gamma.say("")
    delta = Talker(port, "delta")
    delta.say("SUB zzz 1\r\n")
    delta.publish("nobody", 5, 1)
    delta.leave()
    epsilon = Talker(port, "epsilon")
    epsilon.say("")
    epsilon.say("BOGUS\r\n")
    epsilon.leave()
    alpha.publish("foo", 10, 5)
    beta.publish("foo", 4, 3)
    gamma.publish("bar", 20, 7)
    gamma.publish("foo.x", 100, 2)
    return [alpha, beta, gamma]


def play_auth(port: int) -> list[Talker]:
    talkers = []
    for user, password in (("alice", "a"), ("anna", "a"), ("bob", "b")):
        talkers.append(Talker(port, f"c-{user}", user=user, **{"pass": password}))
        talkers[-1].say("SUB x 1\r\n")
    Talker(port, "c-bad", user="bob", **{"pass": "nope"}).leave()
    return talkers


def play_to_the_end(port: int) -> list[Talker]:
    for talker in play_plain(port):
        talker.leave()
    return []


def play_limits(port: int) -> list[Talker]:
    for index in range(5):
        Talker(port, f"gone{index}").leave()
    return []


def play_beyond_limits(port: int) -> list[Talker]:
    play_limits(port)
    fat = Talker(port, "fat")
    fat.publish("x", 101, 1)
    fat.leave()
    subby = Talker(port, "subby")
    subby.say("".join(f"SUB s{index} {index}\r\n" for index in range(4)))
    subby.leave()
    return []


PLAYS = {
    "plain": play_plain,
    "end": play_to_the_end,
    "auth": play_auth,
    "base": lambda port: [],
    "limits": play_limits,
    "beyond": play_beyond_limits,
}
AFTERWARDS = {
    "value/connections back to 0": "end",
    "value/closed all five": "end",
    "value/subscriptions back": "end",
    "limits/closed ring keeps the newest 3": "limits",
    "limits/closed total": "limits",
    "limits/reason payload": "beyond",
    "limits/reason client close": "beyond",
    "limits/varz values": "beyond",
}
"""Checks made when all clients have left, and where."""
Scenes = Callable[[str], Scene]


@pytest.fixture(scope="module", params=ENGINES)
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenes]:
    """One server per configuration, started when a check first asks for it."""
    with ExitStack() as stack:

        @cache
        def start(name: str) -> Scene:
            config = f'http: "127.0.0.1:-1"\n{CONFIGS[name]}'
            server = stack.enter_context(running_server(NATSCTL, tmp_path_factory.mktemp(name), config, request.param))
            played = Scene(server, PLAYS[name], "/nats" if name == "base" else "")
            for talker in played.talkers:
                stack.callback(talker.leave)
            return played

        yield start


# ---- what is compared


def page_of_connections(answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        return {"status": answer.status, "text": answer.text}
    page = answer.document
    names = [row.get("name") for row in page["connections"] or []]
    counts = {"num": page["num_connections"]} | {key: page[key] for key in ("total", "offset", "limit")}
    return {"status": 200, "names": names} | counts


def page_of_subscriptions(answer: Answer, query: str) -> dict[str, Any]:
    if answer.status != 200:
        return {"status": answer.status, "text": answer.text}
    page = answer.document
    subjects = sorted(row["subject"] for row in page.get("subscriptions_list", []))
    shown: object = len(subjects) if "limit=2" in query else subjects
    return {"status": 200, "subs": shown} | {key: page[key] for key in ("offset", "limit", "total")}


def connections(scene: Scene, query: str = "") -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in scene.ask(f"/connz{query}").document["connections"]}


def with_cids(scene: Scene, query: str) -> str:
    cids = {"BETA": connections(scene)["beta"]["cid"], "DELTA": connections(scene, "?state=closed")["delta"]["cid"]}
    for name, cid in cids.items():
        query = query.replace(name, str(cid))
    return query


def observe_value(scene: Scene, name: str) -> Any:
    """What a check that looks at single values sees."""
    varz = scene.ask("/varz").document
    alpha = scene.talkers[0]
    if delta := re.fullmatch(r"varz delta (\w+)", name):
        return varz[delta[1]] - scene.before["/varz"][delta[1]]
    if counters := re.fullmatch(r"connz (\w+) (counters|subscriptions_list)", name):
        row = connections(scene, "?subs=1")[counters[1]]
        if counters[2] == "subscriptions_list":
            return sorted(row.get("subscriptions_list", []))
        return {key: row.get(key) for key in CHECKS[f"value/{name}"]["value"]}
    closed = connections(scene, "?state=closed")
    keys = ("subject", "sid", "qgroup", "msgs", "account")
    found: dict[str, Callable[[], Any]] = {
        "varz port": lambda: varz["port"] == scene.port and varz["http_port"] == scene.http,
        "varz server_id form": lambda: bool(re.fullmatch(r"N[A-Z2-7]{55}", varz["server_id"])),
        "varz auth_required absent or false": lambda: varz.get("auth_required", False),
        "varz server_id stable and equal to INFO": lambda: varz["server_id"] == alpha.info["server_id"],
        "http_req_stats counts": lambda: 3 if varz["http_req_stats"]["/connz"] >= 3 else 0,
        "connz subs=detail alpha": lambda: [
            {key: row.get(key) for key in keys}
            for row in connections(scene, "?subs=detail")["alpha"]["subscriptions_list_detail"]
        ],
        "cids ascending": lambda: [row["cid"] for row in connections(scene).values()] == [5, 6, 7],
        "cid equals INFO client_id": lambda: connections(scene)["alpha"]["cid"] == alpha.info["client_id"],
        "closed reasons": lambda: {who: row["reason"] for who, row in closed.items()},
        "closed delta counters": lambda: {
            key: closed["delta"][key] for key in ("in_msgs", "in_bytes", "out_msgs", "subscriptions")
        },
        "closed has stop": lambda: (
            all("stop" in row for row in closed.values())
            and not any("stop" in row for row in connections(scene).values())
        ),
    }
    return found[name]() if name in found else varz[name.removeprefix("varz ")]


def observe_http(scene: Scene, name: str) -> Any:
    """What a check of the HTTP behaviour sees."""
    if name.startswith("status "):
        answer = scene.ask(name.removeprefix("status "))
        return [answer.status, answer.media_type]
    if name.startswith("root links to "):
        return name.removeprefix("root links to ") in scene.ask("/").text
    if name.startswith("method "):
        _, method, path = name.split(" ")
        answer = ask(scene.http, path, method)
        return [answer.status, answer.media_type]
    if name.startswith("jsonp "):
        answer = scene.ask(f"/{name.removeprefix('jsonp ')}?callback=cb1")
        return [answer.status, answer.media_type, answer.text[:4], answer.text[-1:]]
    if name == "cors header":
        return scene.ask("/varz").headers["access-control-allow-origin"]
    return scene.ask("/healthz").document


def observe_auth(scene: Scene, name: str) -> Any:
    """What a check of the server with accounts sees."""
    if name.startswith("connz "):
        return page_of_connections(scene.ask("/connz" + name.removeprefix("connz ")))
    found: dict[str, Callable[[], Any]] = {
        "varz auth_required": lambda: scene.ask("/varz").document["auth_required"],
        "users and accounts": lambda: logins(scene, "?auth=1"),
        "no users without auth=1": lambda: logins(scene, ""),
        "closed reason": lambda: [
            [who, row["reason"]] for who, row in connections(scene, "?state=closed&auth=1").items()
        ],
        "subsz accounts": lambda: sorted(
            [row["account"], row["subject"]] for row in scene.ask("/subsz?subs=1&acc=A").document["subscriptions_list"]
        ),
        "accountz": lambda: sorted(scene.ask("/accountz").document["accounts"]),
        "accstatz": lambda: sorted(
            [row["acc"], row["conns"], row["num_subscriptions"]]
            for row in scene.ask("/accstatz?unused=1").document["account_statz"]
            if row["acc"] in "AB"
        ),
    }
    return found[name]()


def logins(scene: Scene, query: str) -> list[list[str | None]]:
    return [[who, row.get("authorized_user"), row.get("account")] for who, row in connections(scene, query).items()]


def observe_end(scene: Scene, name: str) -> Any:
    """What a check sees after all clients have left."""
    closed = connections(scene, "?state=closed")
    varz = scene.ask("/varz").document
    found: dict[str, Callable[[], Any]] = {
        "value/connections back to 0": lambda: varz["connections"],
        "value/closed all five": lambda: sorted(closed),
        "value/subscriptions back": lambda: varz["subscriptions"] - scene.before["/varz"]["subscriptions"],
        "limits/closed ring keeps the newest 3": lambda: sorted(closed),
        "limits/closed total": lambda: [scene.ask(f"/connz?state={s}").document["total"] for s in ("closed", "any")],
        "limits/reason payload": lambda: closed["fat"]["reason"],
        "limits/reason client close": lambda: closed["subby"]["reason"],
        "limits/varz values": lambda: {key: varz[key] for key in CHECKS[name]["value"]},
    }
    return found[name]()


def observe(scene: Scenes, name: str) -> Any:
    """What a check sees of our server."""
    family, _, rest = name.partition("/")
    if name in AFTERWARDS:
        return observe_end(scene(AFTERWARDS[name]), name)
    if name.startswith("connz "):
        plain = scene("plain")
        return page_of_connections(plain.ask("/connz" + with_cids(plain, name[6:].partition(" (")[0])))
    if name.startswith("subsz "):
        return observe_subsz(scene("plain"), name.removeprefix("subsz "))
    if family == "value":
        return observe_value(scene("plain"), rest)
    if family == "auth":
        return observe_auth(scene("auth"), rest)
    if name == "base/http_base_path":
        return scene("base").ask("/nats/varz").document["http_base_path"]
    return observe_http(scene("base" if family == "base" else "plain"), rest)


def observe_subsz(scene: Scene, query: str) -> Any:
    if query == "delta num_subscriptions":
        return scene.ask("/subsz").document["num_subscriptions"] - scene.before["/subsz"]["num_subscriptions"]
    if query == "detail of work":
        rows = scene.ask("/subsz?subs=1&acc=$G").document["subscriptions_list"]
        keys = ("subject", "qgroup", "sid", "msgs", "account")
        return [{key: row.get(key) for key in keys} for row in rows if row["subject"] == "work"]
    return page_of_subscriptions(scene.ask("/subsz" + query), query)


# ---- the comparison


@pytest.mark.parametrize("name", [name for name in CHECKS if not ELSEWHERE.match(name)])
def test_a_page_is_as_recorded(name: str, scene: Scenes) -> None:
    check = CHECKS[name]
    if check["kind"] == "shape":
        family, _, path = name.partition("/keys ")
        assert list(misfits(check["value"], scene(family).ask(path).document)) == []
        return
    seen = observe(scene, name)
    if "any order" in name:
        seen["names"].sort()
    assert seen == check["value"]
