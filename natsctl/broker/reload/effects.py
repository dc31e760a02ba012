"""What happens in a running broker when an option has changed, besides that the new value holds.

An option without an entry here is looked up where it is used, and needs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import sample

from natsctl.broker.auth import GLOBAL_ACCOUNT
from natsctl.broker.connection import Connection
from natsctl.broker.reload.host import ReloadHost
from natsctl.config import Options
from natsctl.errors import ClosedReason, WireError

__all__ = ["EFFECTS", "surplus_error"]


def surplus_error(connection: Connection, text: str, reason: ClosedReason) -> WireError:
    """Make the error for a client that is one too many; the log says whose it was."""
    of = f" - Account:{connection.session.account or GLOBAL_ACCOUNT}"
    return WireError(reason, wire=text, log=f"{text}{of}{f' - {label}' if (label := connection.login.label) else ''}")


def _advertise(broker: ReloadHost, _: Options) -> None:
    broker.identity.listen_on(broker.host, broker.port, broker.options.client_advertise)
    if broker.options.cluster.is_on:
        broker.mesh.follow_clients()


def _change_cluster(broker: ReloadHost, before: Options) -> None:
    broker.mesh.follow(before.cluster)


def _change_routes(broker: ReloadHost, before: Options) -> None:
    broker.mesh.follow_routes(before.cluster)


def _change_hubs(broker: ReloadHost, before: Options) -> None:
    broker.leafnodes.follow_remotes(before.leafnodes)


def _close_surplus(broker: ReloadHost, _: Options) -> None:
    """Close as many connections as are too many, whichever they are."""
    limit, clients = broker.options.max_connections, tuple(broker.registry)
    if not 0 < limit < len(clients):
        return
    n_surplus = len(clients) - limit
    for connection in sample(clients, n_surplus):
        reason = ClosedReason.MAX_CONNECTIONS_EXCEEDED
        connection.session.fail(surplus_error(connection, "maximum connections exceeded", reason))
    broker.log.info(f"Closed {n_surplus} connections to fall within max_connections")


def _limit_control_line(broker: ReloadHost, _: Options) -> None:
    broker.engine.limits.max_control_line = broker.options.max_control_line


def _stall_or_drop(broker: ReloadHost, _: Options) -> None:
    broker.engine.limits.drop_instead_of_stall = broker.options.no_fast_producer_stall


def _retime(broker: ReloadHost, _: Options) -> None:
    for connection in broker.registry:
        connection.follow_options()


def _write_pid_file(broker: ReloadHost, _: Options) -> None:
    if broker.files is not None:
        broker.files.write_pid(broker.options.pid_file)


def _move_ports_file(broker: ReloadHost, _: Options) -> None:
    if broker.files is not None:
        broker.files.move_ports(broker.options.ports_file_dir, broker.listeners())


EFFECTS: Mapping[str, Callable[[ReloadHost, Options], None]] = {
    "client_advertise": _advertise,
    "cluster": _change_cluster,
    "cluster.routes": _change_routes,
    "leafnodes.remotes": _change_hubs,
    "max_connections": _close_surplus,
    "max_control_line": _limit_control_line,
    "no_fast_producer_stall": _stall_or_drop,
    "ping_interval_s": _retime,
    "ping_max": _retime,
    "write_deadline_s": _retime,
    "pid_file": _write_pid_file,
    "ports_file_dir": _move_ports_file,
}
"""Path of an option to what is done, with the new options in place and the old ones at hand; nothing here can fail.

TLS, logs and logins are prepared apart, see :class:`natsctl.broker.reload.reloader.Reloader`.
"""
