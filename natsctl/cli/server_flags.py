"""The flags of ``natsctl server``, one line each: what it is called, what it sets, or which feature it waits for.

Source: nats-server 2.15 ``server/opts.go`` (``ConfigureOptions``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter, signature
from keyword import iskeyword
from operator import attrgetter
from typing import Annotated, Any

import typer

from natsctl.config import Options
from natsctl.config.options import ClusterOptions, TlsCertificate, TlsOptions
from natsctl.config.urls import server_url
from natsctl.errors import Problem, UsageError

__all__ = ["FLAGS", "Flag", "apply_flags", "takes_flags", "unavailable_flags"]


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag of the server."""

    kind: type
    spelling: str
    """Every way to write it, the most telling last."""
    metavar: str
    """What stands for the value in help; empty for a boolean."""
    summary: str
    sets: str = ""
    """Options it sets, dotted, several divided by blanks."""
    needs: str = ""
    """The feature of a later release without which it stops the start."""

    @property
    def name(self) -> str:
        """The most telling name, without dashes; with an underscore behind it where Python has that word."""
        name = self.spelling.split()[-1].lstrip("-")
        return f"{name}_" if iskeyword(name) else name


SERVER = (
    Flag(str, "-a --net --addr", "HOST", "Bind to this address (default 0.0.0.0).", "host"),
    Flag(int, "-p --port", "PORT", "Listen for clients on this port (default 4222; -1 picks a free one).", "port"),
    Flag(str, "-n --name --server_name", "NAME", "Name of the server (default: its id).", "server_name"),
    Flag(str, "-P --pid", "FILE", "Write the process id to this file.", "pid_file"),
    Flag(int, "-m --http_port", "PORT", "Serve monitoring over HTTP on this port (-1 picks a free one).", "http_port"),
    Flag(int, "-ms --https_port", "PORT", "Serve monitoring over HTTPS on this port (needs TLS).", "https_port"),
    Flag(str, "-c --config", "FILE", "Read the configuration from this file; flags win over it."),
    Flag(bool, "-t", "", "Check the configuration file and exit; warnings count as errors."),
    Flag(
        str,
        "-sl --signal",
        "SIGNAL[=PID]",
        "Send a signal to a running server and exit: stop, quit, term, reopen, reload or ldm; "
        "PID is a process id or a pid file.",
    ),
    Flag(
        str,
        "--client_advertise",
        "HOST[:PORT]",
        "Tell clients this address instead of the real one.",
        "client_advertise",
    ),
    Flag(str, "--ports_file_dir", "DIR", "Write a file with the addresses listened on here.", "ports_file_dir"),
)

LOGGING = (
    Flag(str, "-l --log", "FILE", "Log to this file.", "log.log_file"),
    Flag(bool, "-T --logtime", "", "Begin log lines with the time (default true).", "log.logtime"),
    Flag(bool, "--logtime_utc", "", "Write times in UTC instead of local time.", "log.logtime_utc"),
    Flag(bool, "-s --syslog", "", "Log to the local syslog.", "log.syslog"),
    Flag(str, "-r --remote_syslog", "URL", "Log to a remote syslog, as udp://localhost:514.", "log.remote_syslog"),
    Flag(bool, "-D --debug", "", "Log what happens to connections.", "log.debug"),
    Flag(bool, "-V --trace", "", "Log every protocol message.", "log.trace"),
    Flag(bool, "-VV", "", "Trace, the system account too.", "log.trace log.trace_verbose"),
    Flag(bool, "-DV", "", "Debug and trace.", "log.debug log.trace"),
    Flag(bool, "-DVV", "", "Debug and trace, the system account too.", "log.debug log.trace log.trace_verbose"),
    Flag(
        int, "--log_size_limit", "BYTES", "Rotate the log file at this size (default: never).", "log.logfile_size_limit"
    ),
    Flag(
        int,
        "--max_traced_msg_len",
        "BYTES",
        "Show at most this much of a payload (default: all).",
        "log.max_traced_msg_len",
    ),
)

AUTHORIZATION = (
    Flag(str, "--user", "USER", "User that clients must log in as.", "authorization.user"),
    Flag(str, "--pass", "PASSWORD", "Password of that user.", "authorization.password"),
    Flag(str, "--auth", "TOKEN", "Token that clients must present.", "authorization.token"),
)

JETSTREAM = (
    Flag(bool, "-js --jetstream", "", "Enable JetStream.", needs="JetStream"),
    Flag(str, "-sd --store_dir", "DIR", "Directory of JetStream's storage.", needs="JetStream"),
)

TLS = (
    Flag(bool, "--tls", "", "Require TLS of clients; --tls=false does without that of the configuration file."),
    Flag(str, "--tlscert", "FILE", "Certificate of the server."),
    Flag(str, "--tlskey", "FILE", "Private key of the certificate."),
    Flag(bool, "--tlsverify", "", "Require TLS, and certificates of clients."),
    Flag(str, "--tlscacert", "FILE", "CA of the clients' certificates."),
    Flag(bool, "--help_tls", "", "Explain the tls block of a configuration file and exit."),
)

CLUSTER = (
    Flag(str, "--routes", "URL,URL", "Servers to build a cluster with."),
    Flag(str, "--cluster --cluster_listen", "URL", "Listen for routes on this address, as nats://0.0.0.0:6222."),
    Flag(str, "--cluster_name", "NAME", "Name of the cluster (default: a random one).", "cluster.name"),
    Flag(
        str,
        "--cluster_advertise",
        "HOST[:PORT]",
        "Tell servers this address instead of the real one.",
        "cluster.advertise",
    ),
    Flag(bool, "--no_advertise", "", "Do not tell clients about other servers.", "cluster.no_advertise"),
    Flag(
        int,
        "--connect_retries",
        "NUMBER",
        "Further attempts to reach a server that another one named (default 0).",
        "cluster.connect_retries",
    ),
)

PROFILING = (Flag(int, "--profile", "PORT", "Serve profiles on this port.", needs="profiling"),)

COMMON = (Flag(bool, "-v --version", "", "Show the version and exit."),)

FLAGS: Mapping[str, tuple[Flag, ...]] = {
    "Server": SERVER,
    "Logging": LOGGING,
    "Authorization": AUTHORIZATION,
    "JetStream": JETSTREAM,
    "TLS": TLS,
    "Cluster": CLUSTER,
    "Profiling": PROFILING,
    "Other": COMMON,
}
"""Title of a group to its flags, in the order of nats-server's help."""


def takes_flags(function: Callable[..., None]) -> Callable[..., None]:
    """Show Typer every flag as a parameter of a function that takes them as ``**flags``."""
    fixed = [
        param for param in signature(function, eval_str=True).parameters.values() if param.kind != param.VAR_KEYWORD
    ]
    flags = [_parameter(flag, group) for group, members in FLAGS.items() for flag in members]
    function.__signature__ = signature(function).replace(parameters=[*fixed, *flags])  # type: ignore[attr-defined]
    return function


def apply_flags(options: Options, given: Mapping[str, Any]) -> None:
    """Let flags win over what the configuration file says.

    An empty text or a zero means the default, as in nats-server; a flag that stands for several, as ``-DV``, wins
    over those.
    """
    default = Options()
    _apply_tls_flags(options, given)
    _apply_cluster_flags(options.cluster, given)
    for flag in (flag for members in FLAGS.values() for flag in members if flag.name in given):
        for path in flag.sets.split():
            *parents, field = path.split(".")
            owner = attrgetter(".".join(parents))(options) if parents else options
            value = given[flag.name]
            setattr(owner, field, attrgetter(path)(default) if value in ("", 0) and flag.kind is not bool else value)


def _apply_tls_flags(options: Options, given: Mapping[str, Any]) -> None:
    """Make a TLS configuration of flags alone: any of them replaces all that the file says about TLS."""
    if given.get("tls") is False:
        options.tls = None
    elif given.keys() & {"tls", "tlscert", "tlskey", "tlsverify", "tlscacert"}:
        pair = TlsCertificate(given.get("tlscert", ""), given.get("tlskey", ""))
        options.tls = TlsOptions(
            certificates=[] if pair == TlsCertificate() else [pair],
            ca_file=given.get("tlscacert", ""),
            verify=given.get("tlsverify", False),
        )


def _apply_cluster_flags(cluster: ClusterOptions, given: Mapping[str, Any]) -> None:
    """Take a listening address, with its login, from one URL; an empty one means no cluster.

    Raises:
        UsageError: It is none.
    """
    if "routes" in given:
        cluster.routes = [url.strip() for url in given["routes"].split(",") if url.strip()]
    text = given.get("cluster_listen")
    if text is None:
        return
    if not text:
        cluster.port = 0
        return
    try:
        url = server_url(text)
    except ValueError as error:
        raise UsageError(f"flag --cluster {error}") from None
    if url.user and not url.has_password:
        raise UsageError("flag --cluster: expected cluster password to be set")
    cluster.host, cluster.port, cluster.user, cluster.password = url.host, url.port, url.user, url.password


def unavailable_flags(given: Mapping[str, Any]) -> list[Problem]:
    """Name the flags whose feature is not there yet; a value that switches the feature off is fine."""
    return [
        Problem(f"flag --{flag.name}: natsctl server does not support {flag.needs} yet")
        for members in FLAGS.values()
        for flag in members
        if flag.needs and given.get(flag.name)
    ]


def _parameter(flag: Flag, group: str) -> Parameter:
    option = typer.Option(
        *flag.spelling.split(),
        metavar=flag.metavar or None,
        help=flag.summary,
        rich_help_panel=group,
        show_default=False,
    )
    return Parameter(flag.name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[flag.kind | None, option])
