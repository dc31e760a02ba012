"""``/accountz`` and ``/accstatz``: which accounts there are, and what they move.

Source: nats-server ``monitor.go`` (HandleAccountz, accountInfo, HandleAccountStatz), ``accounts.go`` (statz).
"""

from __future__ import annotations

from natsctl.broker.monitor.query import BadQueryError, Query
from natsctl.broker.monitor.source import Source
from natsctl.broker.monitor.subsz import describe_sublist
from natsctl.broker.registry import Traffic
from natsctl.broker.service_subjects import PAGES, USER_INFO
from natsctl.monitoring.documents import AccountInfo, AccountStat, Accountz, Accstatz, DataStats, ExtImport, MsgBytes

__all__ = ["accountz", "accstatz"]


def accountz(source: Source, query: Query) -> Accountz:
    """Name the accounts, or describe the one asked for.

    Raises:
        BadQueryError: There is no such account.
    """
    document = Accountz(server_id=source.server_id, now=source.now(), system_account=source.system_account)
    name = query.text("acc")
    if not name:
        document.accounts = source.accounts
        return document
    if name not in source.accounts:
        raise BadQueryError(f"Account {name} does not exist")
    engine = source.broker.engine
    document.account_detail = AccountInfo(
        account_name=name,
        update_time=source.started,
        is_system=name == source.system_account,
        complete=True,
        leafnode_connections=source.broker.leafnodes.in_account(name),
        client_connections=source.broker.registry.in_account(name),
        subscriptions=engine.n_subscriptions(name),
        imports=_services(source, name),
        name_tag=name,
        sublist_stats=describe_sublist(engine.sublist_stats(name)),
    )
    return document


def _services(source: Source, name: str) -> list[ExtImport]:
    """What every account may ask the server itself, as if the system account exported it."""
    system = source.system_account
    if not system:
        return []
    offered = {USER_INFO: f"USER.{name}.INFO"}
    if name != system:
        offered |= {subject: f"ACCOUNT.{name}.{page}" for subject, page in PAGES.items()}
    return [
        ExtImport(
            subject=f"$SYS.REQ.{origin}",
            account=system,
            to=subject.decode(),
            local_subject=subject.decode(),
            type="service",
            share=subject == USER_INFO,
        )
        for subject, origin in offered.items()
    ]


def accstatz(source: Source, query: Query) -> Accstatz:
    """Count connections and traffic by account; of those without connections only on request.

    Raises:
        BadQueryError: A parameter that cannot be meant.
    """
    shows_unused = query.boolean("unused")
    registry = source.broker.registry
    traffic = registry.traffic()
    leafnodes = source.broker.leafnodes
    names = [
        name for name in source.accounts if shows_unused or registry.in_account(name) or leafnodes.in_account(name)
    ]
    return Accstatz(
        server_id=source.server_id,
        now=source.now(),
        account_statz=[_stat(source, name, traffic.get(name, Traffic())) for name in names],
    )


def _stat(source: Source, name: str, moved: Traffic) -> AccountStat:
    n_connections = source.broker.registry.in_account(name)
    n_leafnodes = source.broker.leafnodes.in_account(name)
    leafs = source.broker.leafnodes.traffic().get(name, Traffic())
    return AccountStat(
        acc=name,
        name=name,
        conns=n_connections,
        leafnodes=n_leafnodes,
        total_conns=n_connections + n_leafnodes,
        num_subscriptions=source.broker.engine.n_subscriptions(name),
        sent=DataStats(
            msgs=moved.out_msgs + leafs.out_msgs,
            bytes=moved.out_bytes + leafs.out_bytes,
            leafs=MsgBytes(msgs=leafs.out_msgs, bytes=leafs.out_bytes),
        ),
        received=DataStats(
            msgs=moved.in_msgs + leafs.in_msgs,
            bytes=moved.in_bytes + leafs.in_bytes,
            leafs=MsgBytes(msgs=leafs.in_msgs, bytes=leafs.in_bytes),
        ),
        slow_consumers=moved.slow_consumers,
    )
