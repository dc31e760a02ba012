"""What must hold between options before a broker can start; a configuration test alone does not ask.

Source: nats-server ``server/server.go``, validateOptions.
"""

from __future__ import annotations

from natsctl.config.options import ClusterOptions, LeafOptions, Options, RemoteOptions, TlsOptions, User
from natsctl.config.tls import certificate_problems
from natsctl.config.urls import LEAFNODE_PORT, server_url
from natsctl.errors import Problem

__all__ = ["check_start"]

_PORTS = range(-1, 65536)


def check_start(options: Options) -> list[Problem]:
    """Say why a broker cannot start with these options, whether from a file, from flags or from Python."""
    found = (
        *_limits(options),
        *_listener(options),
        *_encryption(options),
        *_who(options),
        *_cluster(options.cluster),
        *_leafnodes(options),
    )
    return [Problem(message, options.config_file) for message in found]


def _limits(options: Options) -> list[str]:
    found = []
    if options.max_payload > options.max_pending:
        found.append(f"max_payload of {options.max_payload} is larger than max_pending of {options.max_pending}")
    positive = {
        "max_control_line": options.max_control_line,
        "max_pending": options.max_pending,
        "ping_interval": options.ping_interval_s,
        "write_deadline": options.write_deadline_s,
        "authorization timeout": options.auth_timeout_s,
    }
    found += [f"{name} must be above 0, found {value:g}" for name, value in positive.items() if value <= 0]
    duration_s, grace_s = options.lame_duck_duration_s, options.lame_duck_grace_period_s
    if grace_s >= duration_s:
        found.append(
            f"lame_duck_grace_period of {grace_s:g} s must be shorter than lame_duck_duration of {duration_s:g} s"
        )
    not_negative = {
        "ping_max": options.ping_max,
        "max_closed_clients": options.max_closed_clients,
        "logfile_size_limit": options.log.logfile_size_limit,
        "logfile_max_num": options.log.logfile_max_num,
        "lame_duck_grace_period": grace_s,
    }
    return found + [f"{name} must not be negative, found {value}" for name, value in not_negative.items() if value < 0]


def _listener(options: Options) -> list[str]:
    found = []
    if options.port not in _PORTS:
        found.append(f"port must be from -1 to 65535, found {options.port}")
    if options.http_port not in _PORTS:
        found.append(f"http_port must be from -1 to 65535, found {options.http_port}")
    if " " in options.server_name:
        found.append("server_name must not contain blanks")
    if options.client_advertise.count(":") > 1 and not options.client_advertise.startswith("["):
        found.append(f'client_advertise must be host or host:port, found "{options.client_advertise}"')
    return found


def _encryption(options: Options) -> list[str]:
    tls = options.tls
    found = []
    if options.https_port not in _PORTS:
        found.append(f"https_port must be from -1 to 65535, found {options.https_port}")
    if options.https_port and options.http_port:
        found.append(f"http_port {options.http_port} and https_port {options.https_port} cannot both be served")
    if tls is None:
        return [*found, "https_port needs tls with a certificate and its key"] if options.https_port else found
    if not tls.certificates:
        found.append("tls needs a certificate and its key")
    if tls.timeout_s <= 0:
        found.append(f"tls timeout must be above 0, found {tls.timeout_s:g}")
    if tls.handshake_first_s < 0:
        found.append(f"handshake_first must not be negative, found {tls.handshake_first_s:g}")
    return found + certificate_problems(tls.certificates, tls.ca_file)


def _who(options: Options) -> list[str]:
    found = []
    if options.no_auth_user:
        users = _all_users(options)
        if not users:
            found.append("no_auth_user is set but no users are defined")
        elif options.no_auth_user not in {user.nkey or user.user for user in users}:
            found.append(f'no_auth_user "{options.no_auth_user}" is not one of the users')
    names = {account.name for account in options.accounts}
    if options.system_account not in ("", "$SYS") and options.system_account not in names:
        found.append(f'system_account "{options.system_account}" is not defined in accounts')
    if options.system_account and options.no_system_account:
        found.append("system_account and no_system_account cannot both be set")
    return found


def _all_users(options: Options) -> list[User]:
    return [*options.authorization.users, *(user for account in options.accounts for user in account.users)]


def _cluster(cluster: ClusterOptions) -> list[str]:
    found = []
    if cluster.routes and not cluster.is_on:
        found.append("solicited routes require cluster capabilities, e.g. --cluster")
    if cluster.port not in _PORTS:
        found.append(f"cluster port must be from -1 to 65535, found {cluster.port}")
    if " " in cluster.name:
        found.append("cluster name must not contain blanks")
    if cluster.advertise.count(":") > 1 and not cluster.advertise.startswith("["):
        found.append(f'cluster_advertise must be host or host:port, found "{cluster.advertise}"')
    for number, text in enumerate(cluster.routes, 1):
        try:
            server_url(text)
        except ValueError as error:
            found.append(f"route {number} {error}")
    if cluster.tls is not None:
        if not cluster.tls.certificates:
            found.append("cluster tls needs a certificate and its key")
        found += certificate_problems(cluster.tls.certificates, cluster.tls.ca_file)
    return found


def _leafnodes(options: Options) -> list[str]:
    leafnodes = options.leafnodes
    found = [*_leaf_listener(leafnodes)]
    for number, remote in enumerate(leafnodes.remotes, 1):
        found += [f"leafnode remote {number} {problem}" for problem in _remote(remote)]
    accounts = {account.name for account in options.accounts} | {"", "$G", options.system_account or "$SYS"}
    bound = {"leafnodes": leafnodes.account}
    bound |= {f'leafnode user "{user.user}"': user.account for user in leafnodes.users}
    bound |= {f"leafnode remote {number}": remote.account for number, remote in enumerate(leafnodes.remotes, 1)}
    return found + [
        f'account "{account}" of {what} is not defined' for what, account in bound.items() if account not in accounts
    ]


def _leaf_listener(leafnodes: LeafOptions) -> list[str]:
    found = []
    if leafnodes.port not in _PORTS:
        found.append(f"leafnodes port must be from -1 to 65535, found {leafnodes.port}")
    if leafnodes.advertise.count(":") > 1 and not leafnodes.advertise.startswith("["):
        found.append(f'leafnodes advertise must be host or host:port, found "{leafnodes.advertise}"')
    positive = {
        "leafnodes reconnect": leafnodes.reconnect_s,
        "leafnodes dial_timeout": leafnodes.dial_timeout_s,
        "leafnodes authorization timeout": leafnodes.auth_timeout_s,
    }
    found += [f"{name} must be above 0, found {value:g}" for name, value in positive.items() if value <= 0]
    if leafnodes.port and leafnodes.tls is not None:
        if not leafnodes.tls.certificates:
            found.append("leafnodes tls needs a certificate and its key")
        found += _handshake(leafnodes.tls)
    return found


def _remote(remote: RemoteOptions) -> list[str]:
    found = [] if remote.urls else ["needs a url"]
    for number, text in enumerate(remote.urls, 1):
        try:
            is_local = not server_url(text, LEAFNODE_PORT).host
        except ValueError as error:
            found.append(f"url {number} {error}")
        else:
            found += [f"url {number} needs a host"] if is_local else []
    if remote.first_info_timeout_s <= 0:
        found.append(f"first_info_timeout must be above 0, found {remote.first_info_timeout_s:g}")
    return found + (_handshake(remote.tls) if remote.tls is not None else [])


def _handshake(tls: TlsOptions) -> list[str]:
    found = certificate_problems(tls.certificates, tls.ca_file)
    return found if tls.timeout_s > 0 else [*found, f"tls timeout must be above 0, found {tls.timeout_s:g}"]
