"""The flags that say which monitoring ports to read and how to reach them: those of nats-top, and a few more."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Annotated, Any

import typer

from natsctl.errors import UsageError
from natsctl.monitoring.address import DEFAULT_PORT, monitoring_url
from natsctl.monitoring.reader import TLSFiles
from natsctl.ops.pages import Ports
from natsctl.units import parse_duration

__all__ = ["seconds", "takes_cluster", "takes_ports"]

_MAX_PORT = 65535
_TIMEOUT_S = 10.0


def seconds(text: str) -> float:
    """Read an option that nats-top takes in seconds: ``1``, ``0.5``, or a duration as ``500ms``.

    Raises:
        typer.BadParameter: It is neither, or not above zero.
    """
    try:
        value = float(text) if text.replace(".", "", 1).isdecimal() else parse_duration(text)
    except ValueError:
        raise typer.BadParameter(f'"{text}" is neither seconds nor a duration') from None
    if value <= 0:
        raise typer.BadParameter(f'"{text}" is not above zero')
    return value


def _option(*names: str, help: str, metavar: str | None = None, **more: Any) -> Any:
    return typer.Option(*names, help=help, metavar=metavar, rich_help_panel="Connection", **more)


def _ports(
    server: Annotated[
        list[str] | None,
        _option(
            "-s",
            "--server",
            help="Host, host:port or URL of monitoring; several with commas or repeated (default 127.0.0.1).",
            metavar="HOST",
        ),
    ] = None,
    port: Annotated[
        int, _option("-m", "--http-port", help="Monitoring port.", metavar="PORT", min=1, max=_MAX_PORT)
    ] = DEFAULT_PORT,
    tls_port: Annotated[
        int,
        _option(
            "-ms",
            "--https-port",
            help="Monitoring port on HTTPS; wins over -m.",
            metavar="PORT",
            min=0,
            max=_MAX_PORT,
            show_default=False,
        ),
    ] = 0,
    base_path: Annotated[
        str, _option("--base-path", help="The http_base_path of the server.", metavar="PATH", show_default=False)
    ] = "",
    cluster: Annotated[
        bool, _option("--cluster", help="Also the other servers of the cluster, found through the routes.")
    ] = False,
    cert: Annotated[str | None, _option("--cert", "--tlscert", help="Client certificate.", metavar="FILE")] = None,
    key: Annotated[str | None, _option("--key", "--tlskey", help="Key of the certificate.", metavar="FILE")] = None,
    ca: Annotated[str | None, _option("--cacert", "--tlsca", help="CA certificates to trust.", metavar="FILE")] = None,
    insecure: Annotated[bool, _option("-k", "--insecure", help="Trust any certificate.")] = False,
    timeout_s: Annotated[
        float | None,
        _option("--timeout", help="Longest wait for an answer (default 10).", metavar="SECS", parser=seconds),
    ] = None,
) -> Ports:
    """Declare the flags, and make of their values what they mean."""
    hosts = [host for part in server or () for host in part.split(",") if host.strip()] or ["127.0.0.1"]
    urls = [
        monitoring_url(host, port=tls_port or port, tls=bool(tls_port), base_path=base_path)
        for host in dict.fromkeys(hosts)
    ]
    if (cert or key or ca or insecure) and not any(url.startswith("https:") for url in urls):
        raise UsageError("certificates are for servers on HTTPS", hint="give -ms PORT, or -s https://HOST")
    if key and not cert:
        raise UsageError("a key needs its certificate", hint="give it with --cert FILE")
    return Ports(tuple(urls), TLSFiles(ca=ca, cert=cert, key=key, insecure=insecure), timeout_s or _TIMEOUT_S, cluster)


def takes_ports(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these flags; it receives what they amount to as ``ports``."""
    return _with_flags(command, signature(_ports, eval_str=True).parameters)


def takes_cluster(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that always means the whole cluster these flags but ``--cluster``."""
    flags = signature(_ports, eval_str=True).parameters
    return _with_flags(command, {name: flag for name, flag in flags.items() if name != "cluster"}, cluster=True)


def _with_flags(command: Callable[..., None], shared: Mapping[str, Parameter], **decided: Any) -> Callable[..., None]:
    own = [parameter for name, parameter in signature(command, eval_str=True).parameters.items() if name != "ports"]

    @functools.wraps(command)
    def with_ports(**values: Any) -> None:
        ports = _ports(**{name: values.pop(name) for name in shared}, **decided)
        command(**values, ports=ports)

    parameters = [parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in (*own, *shared.values())]
    with_ports.__signature__ = signature(command).replace(parameters=parameters)  # type: ignore[attr-defined]  # PEP 362
    with_ports.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_ports
