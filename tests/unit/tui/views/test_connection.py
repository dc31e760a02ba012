"""Everything about one connection."""

from __future__ import annotations

from natsctl.monitoring.documents import ConnInfo, Connz, SubDetail, TLSPeerCert, Varz
from natsctl.monitoring.rates import Rates
from natsctl.monitoring.snapshot import Snapshot
from natsctl.tui.views.connection import connection_details, identity, tls

START = "2026-01-02T03:04:05Z"
WORKERS = [
    ConnInfo(
        cid=5,
        start=START,
        name="worker-a",
        pending_bytes=256,
        subscriptions_list_detail=[
            SubDetail(cid=5, sid="1", subject="jobs", qgroup="workers", msgs=9),
            SubDetail(cid=5, sid="2", subject="busy", msgs=3),
            SubDetail(cid=5, sid="3", subject="idle"),
        ],
    ),
    ConnInfo(
        cid=6,
        start=START,
        name="worker-b",
        subscriptions_list_detail=[
            SubDetail(cid=6, sid="1", subject="jobs", qgroup="workers", msgs=11),
            SubDetail(cid=6, sid="2", subject="mail", qgroup="mailers"),
        ],
    ),
]


def snapshot(*, max_pending: int = 1024) -> Snapshot:
    return Snapshot(
        server="http://a:8222",
        taken_at_ns=0,
        taken_mono=0.0,
        took_s=0.0,
        varz=Varz(max_pending=max_pending),
        connz=Connz(connections=WORKERS),
        closed=Connz(connections=[ConnInfo(cid=3, start=START, name="gone", reason="Client Closed")]),
        connection_rates={5: Rates(1.0, 2.0, 3.0, 4.0, 1.0)},
        subscription_rates={(5, "2"): 80.0},
    )


def test_an_open_connection_has_its_rates_and_its_subscriptions_busiest_first() -> None:
    details = connection_details(snapshot(), 5, START)
    assert details.state == "open"
    assert details.rates and details.rates.out_msgs_per_s == 2.0
    assert [sub.subject for sub in details.subscriptions] == ["busy", "jobs", "idle"]


def test_pending_bytes_are_a_share_of_max_pending() -> None:
    assert connection_details(snapshot(), 5, START).pending_share == 0.25
    assert connection_details(snapshot(max_pending=100), 5, START).pending_share == 1.0
    assert connection_details(snapshot(max_pending=0), 5, START).pending_share is None


def test_the_queue_groups_are_those_it_is_in_with_all_their_members() -> None:
    (group,) = connection_details(snapshot(), 5, START).groups
    assert (group.subject, group.queue) == ("jobs", "workers")
    assert [member.client for member in group.members] == ["worker-b", "worker-a"]


def test_each_subscription_tells_its_share_of_the_queue_group_and_its_mates() -> None:
    details = connection_details(snapshot(), 5, START)
    busy, jobs, _ = details.subscriptions
    assert (details.share(jobs), details.mates(jobs)) == ("45%", "worker-b")
    assert (details.share(busy), details.mates(busy)) == ("", "")
    alone = connection_details(snapshot(), 6, START)
    assert [alone.mates(sub) for sub in alone.subscriptions] == ["worker-a", "nobody"]


def test_another_connection_with_the_same_number_is_not_it() -> None:
    assert connection_details(snapshot(), 5, "2026-02-02T00:00:00Z").state == "unlisted"


def test_a_closed_connection_still_tells_why() -> None:
    details = connection_details(snapshot(), 3, START)
    assert details.state == "closed"
    assert details.conn and ("reason", "Client Closed") in identity(details.conn)


def test_a_connection_on_no_page_is_unlisted() -> None:
    details = connection_details(snapshot(), 99, START)
    assert (details.state, details.conn, details.pending_share) == ("unlisted", None, None)


def test_identity_leaves_out_what_the_client_did_not_tell() -> None:
    conn = ConnInfo(
        cid=5, kind="Client", type="nats", ip="::1", port=4000, lang="go", version="1.2", rtt="1ms", name_tag="$G"
    )
    assert identity(conn) == [
        ("client", "::1"),
        ("address", "[::1]:4000"),
        ("library", "go 1.2"),
        ("kind", "Client"),
        ("rtt", "1ms"),
    ]


def test_another_transport_is_named_with_the_kind() -> None:
    assert ("kind", "Client (websocket)") in identity(ConnInfo(kind="Client", type="websocket"))


def test_tls_tells_version_cipher_and_whose_certificate() -> None:
    assert tls(ConnInfo()) == "none"
    conn = ConnInfo(
        tls_version="1.3",
        tls_cipher_suite="TLS_AES_128_GCM_SHA256",
        tls_first=True,
        tls_peer_certs=[TLSPeerCert(subject="CN=a")],
    )
    assert tls(conn) == "TLS 1.3, TLS_AES_128_GCM_SHA256, handshake first, certificate of CN=a"
