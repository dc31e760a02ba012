"""``natsctl varz``, ``connz`` and the other single pages, before the official server and ours."""

from __future__ import annotations

import json
import re
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.cli.monitored import Monitored, monitored, server
from tests.support.canned import http_answer, port_that_says
from tests.support.http import ask

__all__ = ["server"]

PAGES = ("varz", "connz", "routez", "leafz", "subsz", "accountz", "healthz")


def at(server: Monitored) -> tuple[str, str]:
    return "-m", str(server.port)


def rows(out: bytes) -> list[list[str]]:
    return [re.split(r"\s{2,}", line.strip()) for line in out.decode().splitlines()]


class TestEveryPage:
    @pytest.mark.parametrize("page", PAGES)
    def test_is_a_table(self, natsctl: Shell, server: Monitored, page: str) -> None:
        done = natsctl(page, *at(server))
        assert done.code == 0, done.err
        assert done.out.strip()
        assert b"\x1b" not in done.out, "colours are for terminals"

    @pytest.mark.parametrize("page", PAGES)
    def test_is_the_document_of_the_server_on_request(self, natsctl: Shell, server: Monitored, page: str) -> None:
        document = json.loads(natsctl(page, *at(server), "--json").out)
        assert list(document) == list(ask(server.port, f"/{page}").document)

    @pytest.mark.parametrize("page", PAGES)
    def test_cannot_be_read_where_nothing_listens(self, natsctl: Shell, page: str) -> None:
        done = natsctl(page, "-s", "127.0.0.1:1")
        assert done.code == 6
        assert done.out == b""
        assert done.err.startswith("natsctl: 127.0.0.1:1 refuses connections\nhint: ")

    def test_keeps_what_this_version_knows_nothing_of(self, natsctl: Shell) -> None:
        body = b'{"server_id":"N","now":"2030-01-01T00:00:00Z","from_the_future":[1, 2]}'
        with port_that_says([http_answer("200 OK", body)]) as port:
            assert natsctl("varz", "-m", str(port), "--json").out == body + b"\n"

    def test_is_read_of_several_servers(self, natsctl: Shell, server: Monitored) -> None:
        urls = f"http://127.0.0.1:{server.port},http://localhost:{server.port}"
        done = natsctl("varz", "-s", f"{urls},127.0.0.1:1")
        assert done.code == 0
        assert done.err == "127.0.0.1:1 refuses connections\n"
        assert [f"{line}:" for line in urls.split(",")] == re.findall(r"^http.*:$", done.out.decode(), re.MULTILINE)

    def test_is_read_again_until_a_signal(self, natsctl: Shell, server: Monitored) -> None:
        for every in (["--watch", "0.05"], ["--watch"]):
            running = natsctl.start("healthz", *at(server), "--json", *every)
            assert running.read_out(len(b'{"status":"ok"}\n') * 3) == b'{"status":"ok"}\n' * 3
            running.process.terminate()
            assert running.finish().code == 143

    def test_goes_on_after_an_outage_while_it_is_watched(self, natsctl: Shell, tmp_path: Path) -> None:
        with monitored("official", tmp_path) as server:
            running = natsctl.start("varz", *at(server), "--watch", "50ms")
            assert running.read_out(1)
        running.wait_for("refuses connections")
        running.process.terminate()
        assert running.finish().code == 143


class TestVarz:
    def test_names_the_server_and_what_it_did(self, natsctl: Shell, server: Monitored) -> None:
        with server.connected("PUB a 5\nhello\n"):
            facts = dict(row for row in rows(natsctl("varz", *at(server)).out) if len(row) == 2)
        assert facts["version"] == "2.15.1"
        assert facts["connections"].startswith("1 now, ")
        assert facts["limits"] == "65,536 connections, 1.0 MiB a message"
        assert facts["security"] == "no login, no TLS"
        assert facts["slow consumers"] == "0"


class TestConnz:
    def test_shows_who_is_connected(self, natsctl: Shell, server: Monitored) -> None:
        with server.connected("SUB a 1\nPUB a 5\nhello\n", name="first", lang="go", version="1.2"):
            names, row, footer = rows(natsctl("connz", *at(server), "--subs").out)
        shown = dict(zip(names, row, strict=True))
        assert (shown["NAME"], shown["SUBS"], shown["LANG"]) == ("first", "1", "go 1.2")
        assert (shown["MSGS_TO"], shown["BYTES_FROM"], shown["SUBSCRIPTIONS"]) == ("1", "5", "a")
        assert footer == ["1 of 1"]

    def test_sorts_limits_and_skips_as_the_server_does(self, natsctl: Shell, server: Monitored) -> None:
        with server.connected("SUB a 1\n", name="one"), server.connected("SUB a 1\nSUB b 2\n", name="two"):
            most = natsctl("connz", *at(server), "--sort", "subs", "--limit", "1", "--json")
            rest = natsctl("connz", *at(server), "--sort", "subs", "--offset", "1", "--json")
            [first] = json.loads(most.out)["connections"]
            only = natsctl("connz", *at(server), "--cid", str(first["cid"]), "--json")
        assert first["name"] == "two"
        assert [conn["name"] for conn in json.loads(rest.out)["connections"]] == ["one"]
        assert [conn["name"] for conn in json.loads(only.out)["connections"]] == ["two"]

    def test_is_empty_beyond_the_last_one(self, natsctl: Shell, server: Monitored) -> None:
        with server.connected():
            done = natsctl("connz", *at(server), "--offset", "17")
        assert rows(done.out)[1:] == [["0 of 1, from 17"]]

    def test_tells_why_connections_ended(self, natsctl: Shell, tmp_path: Path) -> None:
        with monitored("official", tmp_path) as server:
            with server.connected(name="gone"):
                pass
            done = natsctl("connz", *at(server), "--state", "closed", "--sort", "stop")
        assert b"gone" in done.out
        assert b"Client Closed" in done.out

    def test_finds_the_connections_of_a_user_or_an_account(self, natsctl: Shell, tmp_path: Path) -> None:
        accounts = (
            'accounts { A { users: [{user: "ivan", password: "x"}] }, B { users: [{user: "olga", password: "y"}] } }'
        )
        with (
            monitored("official", tmp_path, accounts) as server,
            server.connected(user="ivan", **{"pass": "x"}),
            server.connected(user="olga", **{"pass": "y"}),
        ):
            by_user = natsctl("connz", *at(server), "--user", "ivan")
            by_account = natsctl("connz", *at(server), "--account", "B")
        assert b"ivan" in by_user.out
        assert b"olga" not in by_user.out
        assert b"olga" in by_account.out
        assert b"ivan" not in by_account.out

    @pytest.mark.parametrize("state", ["open", "any"])
    def test_closed_ones_alone_are_sorted_by_reason(self, natsctl: Shell, state: str) -> None:
        done = natsctl("connz", "--state", state, "--sort", "reason")
        assert done.code == 2
        assert "sort by reason is for closed connections" in done.err


class TestSubsz:
    def test_tells_who_would_receive_a_message(self, natsctl: Shell, server: Monitored) -> None:
        with server.connected("SUB orders.> q 7\nSUB other 8\n"):
            names, row, footer = rows(natsctl("subsz", *at(server), "--test", "orders.new").out)
        shown = dict(zip(names, row, strict=True))
        assert (shown["SUBJECT"], shown["QUEUE"], shown["SID"]) == ("orders.>", "q", "7")
        assert footer == ["1 of 1"]

    def test_nobody_is_told_and_exits_7(self, natsctl: Shell, server: Monitored) -> None:
        done = natsctl("subsz", *at(server), "--test", "nobody.there", "--json")
        assert done.code == 7
        assert done.err == 'natsctl: no responders for "nobody.there"\n'
        assert json.loads(done.out)["total"] == 0

    def test_a_subject_that_is_none_is_refused(self, natsctl: Shell, server: Monitored) -> None:
        done = natsctl("subsz", *at(server), "--test", "a..b")
        assert done.code == 2
        assert "a..b" in done.err

    def test_counts_what_the_sublist_does(self, natsctl: Shell, server: Monitored) -> None:
        assert {"subscriptions", "added", "matched"} <= {row[0] for row in rows(natsctl("subsz", *at(server)).out)}


class TestAccountz:
    def test_lists_accounts_or_shows_one(self, natsctl: Shell, server: Monitored) -> None:
        assert ["$SYS", "system account"] in rows(natsctl("accountz", *at(server)).out)
        with server.connected():
            assert ["clients", "1"] in rows(natsctl("accountz", *at(server), "--account", "$G").out)


class TestRoutez:
    def test_counts_the_servers_that_routes_lead_to(self, natsctl: Shell, tmp_path: Path) -> None:
        cluster = 'cluster { name: K, listen: "127.0.0.1:-1", pool_size: 3 %s }'
        with monitored("official", tmp_path / "a", f'server_name: "seed"\n{cluster % ""}') as seed:
            port = ask(seed.port, "/varz").document["cluster"]["cluster_port"]
            route = cluster % f', routes: ["nats://127.0.0.1:{port}"]'
            with monitored("official", tmp_path / "b", f'server_name: "joined"\n{route}') as joined:
                running = natsctl.start("routez", *at(joined), "--json", "--watch", "0.05")
                assert running.process.stdout
                for line in running.process.stdout:
                    if b'"remote_name": "seed"' in line:
                        break
                with seed.connected("SUB rides.* 1\n"):
                    running = natsctl.start("routez", *at(joined), "--subs", "--json", "--watch", "0.05")
                    assert running.process.stdout
                    assert any(b'"rides.*"' in line for line in running.process.stdout)
                    listed = natsctl("routez", *at(joined), "--subs")
                done = natsctl("routez", *at(joined))
        assert b"seed" in done.out
        assert b"SUBSCRIPTIONS" not in done.out
        assert re.search(rb"SUBSCRIPTIONS\n(.*\n)*.*rides\.\*", listed.out)
        assert re.search(rb"^\d routes to 1 server$", done.out, re.MULTILINE)


class TestHealthz:
    def test_a_server_that_is_not_healthy_exits_1(self, natsctl: Shell, tmp_path: Path) -> None:
        lonely = f"""
            server_name: "lonely"
            jetstream {{ store_dir: "{tmp_path}" }}
            cluster {{ name: K, listen: "127.0.0.1:-1", routes: ["nats://127.0.0.1:1"] }}
        """
        with monitored("official", tmp_path / "server", lonely) as server:
            done = natsctl("healthz", *at(server))
        assert done.code == 1
        assert "is not healthy: unavailable" in done.err
        assert b"unavailable" in done.out


def test_a_table_is_wider_than_a_narrow_terminal_rather_than_folded(natsctl: Shell, server: Monitored) -> None:
    with server.connected(name="first"):
        names, *_ = rows(natsctl("connz", *at(server), COLUMNS="40").out)
    assert names[:3] == ["CID", "NAME", "ADDRESS"]
    assert names[-1] == "IDLE"


@pytest.mark.parametrize("page", PAGES)
def test_colours_are_left_out_where_they_are_not_wanted(natsctl: Shell, server: Monitored, page: str) -> None:
    assert b"\x1b[3" not in natsctl(page, *at(server), FORCE_COLOR="1", NO_COLOR="1").out


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that is its own CA, with its key in the same file."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl: apt-get install openssl")
    file = tmp_path_factory.mktemp("certificate") / "server.pem"
    new = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=server"
    extensions = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "keyUsage=critical,digitalSignature,keyCertSign"]
    subprocess.run(
        [*new.split(), *extensions, "-keyout", file, "-out", file.with_suffix(".crt")], check=True, capture_output=True
    )
    file.write_text(file.read_text() + file.with_suffix(".crt").read_text())
    return file


class TestTls:
    def test_a_certificate_is_trusted_through_its_ca_or_on_request(self, natsctl: Shell, certificate: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        with port_that_says([http_answer("200 OK", b'{"status":"ok"}')], context) as port:
            secure = ("healthz", "-s", "127.0.0.1", "-ms", str(port))
            unknown = natsctl(*secure)
            assert natsctl(*secure, "-cacert", str(certificate.with_suffix(".crt"))).code == 0
            assert natsctl(*secure, "-k").code == 0
            plain = natsctl("healthz", "-m", str(port))
        assert unknown.code == 6
        assert f"the certificate of 127.0.0.1:{port} is not trusted" in unknown.err
        assert plain.code == 6

    def test_a_file_that_is_missing_is_named(self, natsctl: Shell) -> None:
        done = natsctl("varz", "-ms", "1", "-cacert", "nowhere.pem")
        assert done.code == 2
        assert 'cannot load CA file "nowhere.pem"' in done.err
