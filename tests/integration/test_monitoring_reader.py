"""The reader of monitoring documents, before the official server and before servers that misbehave."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from natsctl.errors import LinkError, NatsctlError, UsageError
from natsctl.monitoring.cluster import find_peers
from natsctl.monitoring.documents import (
    Accountz,
    Accstatz,
    Connz,
    Document,
    Gatewayz,
    Healthz,
    Jsz,
    Leafz,
    Routez,
    Subsz,
    Varz,
    decode,
    encode,
)
from natsctl.monitoring.reader import Reader, TLSFiles
from tests.support.process import nats_server, running_server
from tests.support.wire import WireClient

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def port_that(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A port on which every connection is answered like this."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def says(response: bytes) -> Answer:
    """Wait for a request, then say this and close."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response)
        await writer.drain()

    return answer


def http(status: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def trouble(
    url: str, tls: TLSFiles | None = None, timeout_s: float = 3.0, max_bytes: int = 10_000
) -> NatsctlError:
    async with Reader(url, tls=tls, timeout_s=timeout_s, max_bytes=max_bytes) as reader:
        with pytest.raises(NatsctlError) as caught:
            await reader.varz()
    return caught.value


async def trouble_with(response: bytes) -> NatsctlError:
    async with port_that(says(response)) as port:
        return await trouble(f"http://127.0.0.1:{port}")


class TestErrors:
    async def test_a_port_where_nothing_listens_refuses(self) -> None:
        async with port_that(says(b"")) as port:
            pass
        error = await trouble(f"http://127.0.0.1:{port}")
        assert str(error) == f"127.0.0.1:{port} refuses connections"
        assert "monitoring, by -m PORT" in (error.hint or "")
        assert error.exit_code == 6

    async def test_a_name_that_does_not_exist_is_said_to_be_unknown(self) -> None:
        error = await trouble("http://no-such-host.invalid:8222")
        assert str(error).startswith("cannot find the host of no-such-host.invalid:8222: ")

    async def test_a_server_that_never_answers_is_given_up(self) -> None:
        async def sleep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with port_that(sleep) as port:
            error = await trouble(f"http://127.0.0.1:{port}", timeout_s=0.2)
        assert "/varz within 0.2 s" in str(error) or "took too long" in str(error)

    async def test_a_server_that_drips_its_answer_is_given_up(self) -> None:
        async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)

        async with port_that(drip) as port:
            error = await trouble(f"http://127.0.0.1:{port}", timeout_s=0.4)
        assert str(error) == "no complete answer to /varz within 0.4 s"

    async def test_the_sentence_of_the_server_is_told(self) -> None:
        error = await trouble_with(http("400 Bad Request", b"invalid sorting option: zork"))
        assert isinstance(error, UsageError)
        assert str(error).endswith("invalid sorting option: zork")

    async def test_a_failing_server_is_quoted_with_its_status(self) -> None:
        error = await trouble_with(http("503 Service Unavailable", b"starting"))
        assert str(error).endswith("answers /varz with HTTP 503: starting")

    async def test_what_a_server_says_cannot_drive_the_terminal(self) -> None:
        error = await trouble_with(http("500 Internal Server Error", b"\x1b[2J\x07" + b"x" * 5000))
        assert str(error).isprintable()
        assert len(str(error)) < 300

    async def test_a_missing_page_hints_at_the_base_path(self) -> None:
        error = await trouble_with(http("404 Not Found", b"404 page not found\n"))
        assert "has no /varz (HTTP 404)" in str(error)
        assert "http_base_path" in (error.hint or "")

    async def test_a_redirect_is_not_followed(self) -> None:
        error = await trouble_with(http("302 Found", b"", "Location: http://127.0.0.1:1/varz"))
        assert str(error).endswith("redirects /varz to http://127.0.0.1:1/varz")

    @pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "text/plain"])
    async def test_a_web_page_is_recognised(self, kind: str) -> None:
        error = await trouble_with(http("200 OK", b"<!doctype html><title>hello</title>", f"Content-Type: {kind}"))
        assert "answers with a web page" in str(error)

    async def test_an_answer_cut_off_by_the_connection_is_recognised(self) -> None:
        error = await trouble_with(http("200 OK", b'{"server_id": "N', length=500))
        assert str(error).endswith("ends in the middle")

    async def test_json_cut_off_is_recognised(self) -> None:
        error = await trouble_with(http("200 OK", b'{"server_id": "N'))
        assert "ends in the middle (16 bytes)" in str(error)

    @pytest.mark.parametrize(
        "body", [b"[]", b'"x"', b"nonsense", b'{"server_id": {}}', b"[" * 9000, b'{"a":' * 1500, b"\xff\xfe"]
    )
    async def test_what_is_no_document_is_refused(self, body: bytes) -> None:
        error = await trouble_with(http("200 OK", body))
        assert "is not a monitoring document" in str(error) or "ends in the middle" in str(error)

    async def test_json_of_something_else_is_refused(self) -> None:
        error = await trouble_with(http("200 OK", b'{"status": "up"}'))
        assert str(error) == "the answer is JSON, but not that of a NATS server"

    async def test_an_empty_answer_is_refused(self) -> None:
        assert "with nothing" in str(await trouble_with(http("200 OK", b"")))

    @pytest.mark.parametrize("chunked", [False, True])
    async def test_an_answer_that_never_ends_is_cut(self, chunked: bool) -> None:
        async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = b"Transfer-Encoding: chunked" if chunked else b"Content-Type: application/json"
            writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n")
            while True:
                writer.write(b"400\r\n" + b" " * 1024 + b"\r\n")
                await writer.drain()

        async with port_that(flood) as port:
            error = await trouble(f"http://127.0.0.1:{port}")
        assert str(error) == "the answer to /varz is larger than 10000 bytes"

    async def test_a_compressed_answer_is_not_unpacked(self) -> None:
        error = await trouble_with(http("200 OK", b"\x1f\x8b", "Content-Encoding: gzip"))
        assert "compressed" in str(error)

    async def test_something_that_is_not_http_is_recognised(self) -> None:
        async def mail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 mail.example.com ESMTP\r\n")
            await reader.readline()

        async with port_that(mail) as port:
            error = await trouble(f"http://127.0.0.1:{port}")
        assert str(error).endswith('does not speak HTTP: it begins with "220 mail.example.com ESMTP"')

    async def test_a_port_that_closes_at_once_is_explained(self) -> None:
        error = await trouble_with(b"")
        assert "closes the connection without an answer" in str(error)


class TestOfficialServer:
    async def test_every_page_is_read_and_the_sentences_of_the_server_are_told(self, tmp_path: Path) -> None:
        with running_server(nats_server(), tmp_path, "http: 127.0.0.1:-1") as server:
            async with Reader(monitoring_of(tmp_path)) as reader:
                varz = await reader.varz()
                assert varz.port == server.port
                assert varz.version.startswith("2.")
                assert (await reader.connz(state="any", auth=True, subs="detail")).limit == 1024
                assert (await reader.connz(limit=7, offset=3, sort="rtt")).offset == 3
                receivers = await reader.subsz(test="$SYS.REQ.SERVER.PING", acc="$SYS")
                assert {sub.subject for sub in receivers.subscriptions_list} == {"$SYS.REQ.SERVER.PING"}
                assert (await reader.routez()).num_routes == (await reader.leafz()).leafnodes == 0
                assert (await reader.gatewayz()).outbound_gateways == {}
                assert "$SYS" in (await reader.accountz()).accounts
                assert (detail := (await reader.accountz(acc="$SYS")).account_detail) and detail.is_system
                assert {stat.acc for stat in (await reader.accstatz(unused=True)).account_statz} == {"$G", "$SYS"}
                assert (await reader.jsz()).disabled
                assert (await reader.healthz()).status == "ok"
                with pytest.raises(UsageError, match="invalid sorting option: zork"):
                    await reader.connz(sort="zork")
                with pytest.raises(UsageError, match="sort by stop only valid on closed connections"):
                    await reader.connz(sort="stop")

    async def test_a_server_that_is_not_healthy_is_an_answer(self, tmp_path: Path) -> None:
        lonely = f"""
            http: 127.0.0.1:-1
            server_name: a
            jetstream {{ store_dir: "{tmp_path}" }}
            cluster {{ name: K, listen: "127.0.0.1:-1", routes: ["nats://127.0.0.1:1"] }}
        """
        with running_server(nats_server(), tmp_path, lonely):
            async with Reader(monitoring_of(tmp_path)) as reader:
                health = await reader.healthz()
        assert health.status == "unavailable"
        assert "JetStream" in health.error

    async def test_the_client_port_is_named_as_such(self, tmp_path: Path) -> None:
        with running_server(nats_server(), tmp_path) as server:
            for scheme in ("http", "https"):
                error = await trouble(f"{scheme}://127.0.0.1:{server.port}")
                assert str(error).endswith("is the port for clients; monitoring is usually port 8222"), scheme

    async def test_a_base_path_is_part_of_the_address(self, tmp_path: Path) -> None:
        with running_server(nats_server(), tmp_path, 'http: 127.0.0.1:-1\nhttp_base_path: "/nats"'):
            url = monitoring_of(tmp_path)
            assert "http_base_path" in ((await trouble(url)).hint or "")
            async with Reader(f"{url}/nats") as reader:
                assert (await reader.varz()).http_base_path == "/nats"


KINDS: dict[str, type[Document]] = {
    "varz": Varz,
    "connz?subs=detail&auth=1&state=any": Connz,
    "connz?subs=1": Connz,
    "routez?subs=detail": Routez,
    "routez?subs=1": Routez,
    "leafz?subs=1": Leafz,
    "gatewayz?accs=1": Gatewayz,
    "accountz": Accountz,
    "accountz?acc=X": Accountz,
    "accountz?acc=Y": Accountz,
    "accstatz?unused=1": Accstatz,
    "jsz": Jsz,
    "subsz?subs=1": Subsz,
    "subsz": Subsz,
    "healthz": Healthz,
}

HUB = """
http: 127.0.0.1:-1
server_name: hub
server_tags: ["zone:1", "b"]
server_metadata: { rack: "7" }
max_subscriptions: 1000
cluster { name: K, listen: "127.0.0.1:-1" }
gateway { name: K, listen: "127.0.0.1:-1" }
leafnodes { listen: "127.0.0.1:-1", tls { cert_file: "%(tls)s/server.pem", key_file: "%(tls)s/server.key" } }
websocket { listen: "127.0.0.1:-1", no_tls: true, compression: true, allowed_origins: ["http://a.example"] }
proxies { trusted [ { key: "UDFMOI4LSKIY6RPHYDKMKIAZQ4SMFDTABBWNUJ4IITQXHA4C6ARVO7HL" } ] }
accounts {
  X {
    users [ { user: x, password: x } ]
    exports [ { service: q } ]
    mappings { a: [ { destination: b, weight: 40%% } ] }
  }
  Y { users [ { user: y, password: y } ], imports [ { service: { account: X, subject: q } } ] }
  SYS { users [ { user: s, password: s } ] }
}
system_account: SYS
tls { cert_file: "%(tls)s/server.pem", key_file: "%(tls)s/server.key" }
"""

SPOKE = """
http: 127.0.0.1:-1
server_name: spoke
jetstream { store_dir: "%(dir)s", max_mem: 1M }
write_deadline: "3s"
ping_interval: "1.5s"
no_auth_user: x
accounts { X { users [ { user: x, password: x } ] }, Y {}, SYS { users [ { user: s, password: s } ] } }
system_account: SYS
leafnodes {
  remotes [ {
    url: "tls://x:x@127.0.0.1:%(leaf)d"
    account: X
    tls { ca_file: "%(tls)s/ca.pem" }
    deny_exports: ["no.>"]
  } ]
}
"""


class TestWire:
    async def test_documents_of_the_official_server_are_written_back_byte_for_byte(
        self, tmp_path: Path, certificates: Path
    ) -> None:
        hub_dir, spoke_dir = tmp_path / "hub", tmp_path / "spoke"
        hub_dir.mkdir()
        spoke_dir.mkdir()
        with running_server(nats_server(), hub_dir, HUB % {"tls": certificates}):
            async with Reader(monitoring_of(hub_dir)) as reader:
                leaf = (await reader.varz()).leaf.port
            spoke_config = SPOKE % {"leaf": leaf, "tls": certificates, "dir": spoke_dir}
            with running_server(nats_server(), spoke_dir, spoke_config) as spoke:
                async with await WireClient.open(spoke.port, name="<a>") as client:
                    await client.send(b"SUB a.> q 1\r\nUNSUB 1 9\r\nSUB b 2\r\nPUB b 1\r\nx\r\n")
                    await client.sync()
                    await leafnode_is_up(monitoring_of(hub_dir))
                    await written_back(monitoring_of(hub_dir))
                    await written_back(monitoring_of(spoke_dir))


async def written_back(url: str) -> None:
    """Every page, read and written again, is what the server sent."""
    for page, kind in KINDS.items():
        raw = await asyncio.to_thread(body_of, f"{url}/{page}")
        indent = 0 if page.startswith("healthz") else 2
        assert encode(decode(raw, kind), indent=indent).decode() == raw.decode(), page


async def leafnode_is_up(url: str) -> None:
    async with asyncio.timeout(10), Reader(url) as reader:
        while not (await reader.leafz()).leafnodes:
            pass


def body_of(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url) as answer:
            body: bytes = answer.read()
    except urllib.error.HTTPError as error:
        body = error.read()
    return body


class TestCluster:
    async def test_peers_are_found_through_the_routes_of_one_server(self, tmp_path: Path) -> None:
        """Servers on addresses of their own with the same monitoring port, as on machines of their own."""
        http, cluster = free_port(), free_port()
        names = {"127.0.0.1": "a", "127.0.0.2": "b", "127.0.0.3": "c"}
        routes = ", ".join(f'"nats://{ip}:{cluster}"' for ip in names)
        with ExitStack() as stack:
            for ip, name in names.items():
                directory = tmp_path / name
                directory.mkdir()
                config = f"""
                    server_name: {name}
                    http: "{ip}:{http}"
                    cluster {{ name: K, listen: "{ip}:{cluster}", routes: [{routes}] }}
                """
                stack.enter_context(running_server(nats_server(), directory, config))
            async with asyncio.timeout(15), Reader(f"http://127.0.0.1:{http}") as seed:
                # A route that the other side made comes from 127.0.0.1 here, and so from the wrong machine.
                while {route.remote_name for route in (await seed.routez()).routes} != {"b", "c"}:
                    pass
                peers = await find_peers(seed, Reader)
        assert {peer.name for peer in peers} == {"b", "c"}
        for peer in peers:
            assert peer.error or names[urlsplit(peer.url).hostname or ""] == peer.name
            assert not peer.error or "another server" in peer.error

    async def test_a_server_without_routes_has_no_peers(self, tmp_path: Path) -> None:
        with running_server(nats_server(), tmp_path, "http: 127.0.0.1:-1"):
            async with Reader(monitoring_of(tmp_path)) as seed:
                assert await find_peers(seed, Reader) == []


def free_port() -> int:
    """A port that no address of this machine uses."""
    with socket.socket() as listener:
        listener.bind(("", 0))
        port: int = listener.getsockname()[1]
        return port


def ports_of(directory: Path) -> dict[str, list[str]]:
    """The URLs in the ports file of a running server."""
    [ports] = directory.glob("*.ports")
    urls: dict[str, list[str]] = json.loads(ports.read_text())
    return urls


def monitoring_of(directory: Path) -> str:
    """The URL of the monitoring port of a running server."""
    return ports_of(directory)["monitoring"][0]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA, a server certificate for 127.0.0.1, one that has expired, one for another name; a client certificate."""
    directory = tmp_path_factory.mktemp("certificates")
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    usage = "keyUsage=critical,keyCertSign,cRLSign"
    openssl(
        *new, "-x509", "-subj", "/CN=test CA", "-addext", usage, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2"
    )
    for name, san, days in (
        ("server", "IP:127.0.0.1", "2"),
        ("other", "DNS:example.com", "2"),
        ("expired", "IP:127.0.0.1", "0"),
        ("client", "DNS:client", "2"),
    ):
        openssl(*new, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        extensions = directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={san}\nauthorityKeyIdentifier=keyid\n")
        sign = ("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-extfile", extensions.name)
        openssl(*sign, "-days", days, "-out", f"{name}.pem")
    os.chmod(directory / "client.key", 0o600)
    return directory


def serving(certificates: Path, name: str = "server") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}.key")
    return context


VARZ = http("200 OK", encode(Varz(server_id="N", now="2026-01-02T03:04:05Z")))


class TestTLS:
    async def test_a_server_with_the_given_ca_is_trusted(self, certificates: Path) -> None:
        async with port_that(says(VARZ), serving(certificates)) as port:
            tls = TLSFiles(ca=str(certificates / "ca.pem"))
            async with Reader(f"https://127.0.0.1:{port}", tls=tls) as reader:
                assert (await reader.varz()).server_id == "N"

    async def test_any_certificate_does_when_insecure(self, certificates: Path) -> None:
        trusting = TLSFiles(insecure=True)
        async with (
            port_that(says(VARZ), serving(certificates, "other")) as port,
            Reader(f"https://127.0.0.1:{port}", tls=trusting) as reader,
        ):
            assert (await reader.varz()).server_id == "N"

    @pytest.mark.parametrize(
        ("name", "ca", "message", "hint"),
        [
            ("server", None, "unable to get local issuer certificate", "CA that issued"),
            ("other", "ca.pem", "IP address mismatch", "that the certificate holds"),
            ("expired", "ca.pem", "certificate has expired", "renew"),
        ],
    )
    async def test_the_trouble_with_a_certificate_is_named(
        self, certificates: Path, name: str, ca: str | None, message: str, hint: str
    ) -> None:
        async with port_that(says(VARZ), serving(certificates, name)) as port:
            tls = TLSFiles(ca=str(certificates / ca) if ca else None)
            error = await trouble(f"https://127.0.0.1:{port}", tls)
        assert "is not trusted" in str(error)
        assert message in str(error)
        assert hint in (error.hint or "")

    async def test_tls_to_a_plain_port_is_recognised(self) -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            writer.write(http("400 Bad Request", b"what?"))

        async with port_that(answer) as port:
            error = await trouble(f"https://127.0.0.1:{port}")
        assert str(error).endswith("does not speak TLS")
        assert "http://" in (error.hint or "")

    async def test_plain_http_to_a_tls_port_is_recognised(self, certificates: Path, tmp_path: Path) -> None:
        tls = f'tls {{ cert_file: "{certificates}/server.pem", key_file: "{certificates}/server.key" }}'
        with running_server(nats_server(), tmp_path, f"https: 127.0.0.1:-1\n{tls}"):
            url = monitoring_of(tmp_path)
            assert url.startswith("https://")
            error = await trouble(url.replace("https:", "http:"))
            assert str(error).endswith("speaks TLS")
            ca = TLSFiles(ca=str(certificates / "ca.pem"))
            async with Reader(url, tls=ca) as reader:
                varz = await reader.varz()
        assert varz.https_port
        assert varz.tls_cert_not_after

    async def test_a_demand_for_a_client_certificate_is_recognised(self, certificates: Path) -> None:
        context = serving(certificates)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates / "ca.pem")
        ca, cert, key = (str(certificates / name) for name in ("ca.pem", "client.pem", "client.key"))
        async with port_that(says(VARZ), context) as port:
            error = await trouble(f"https://127.0.0.1:{port}", TLSFiles(ca=ca))
            assert "client certificate" in f"{error} {error.hint}"
            async with Reader(f"https://127.0.0.1:{port}", tls=TLSFiles(ca=ca, cert=cert, key=key)) as reader:
                assert (await reader.varz()).server_id == "N"

    @pytest.mark.parametrize("files", [TLSFiles(ca="/nowhere.pem"), TLSFiles(cert="/nowhere.pem")])
    def test_files_that_are_missing_are_named(self, files: TLSFiles) -> None:
        with pytest.raises(UsageError, match=r'"/nowhere\.pem"'):
            Reader("https://127.0.0.1:1", tls=files)


@pytest.fixture(autouse=True)
def quiet_loop() -> Iterator[None]:
    """Handshakes that fail on purpose are not worth a traceback in the log of the loop."""
    import logging

    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("asyncio").setLevel(logging.NOTSET)


async def test_a_lost_connection_is_an_error_of_the_link() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with port_that(reset) as port:
        assert isinstance(await trouble(f"http://127.0.0.1:{port}"), LinkError)
