"""The connection options that all messaging commands share.

What is given on the command line comes before the environment, that before the context, that before the defaults.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from natsctl.errors import UsageError
from natsctl.ops.contexts import ContextStore, context_settings
from natsctl.ops.settings import Settings, split_servers
from natsctl.units import parse_duration

__all__ = ["duration", "given_settings", "takes_given_settings", "takes_settings"]

_PANEL = "Connection"


def duration(text: str) -> float:
    """Read a duration option; seconds.

    Raises:
        typer.BadParameter: It is none, or negative.
    """
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if seconds < 0:
        raise typer.BadParameter(f'negative duration "{text}"')
    return seconds


def _option(*names: str, help: str, env: str | None = None, metavar: str = "TEXT", **more: Any) -> Any:
    return typer.Option(*names, help=help, envvar=env, metavar=metavar, rich_help_panel=_PANEL, **more)


def _options(
    server: Annotated[
        list[str] | None,
        _option("--server", "-s", help="Server URL; several with commas.", env="NATS_URL", metavar="URL"),
    ] = None,
    user: Annotated[
        str | None, _option("--user", help="User name; without a password, a token.", env="NATS_USER")
    ] = None,
    password: Annotated[str | None, _option("--password", help="Password.", env="NATS_PASSWORD")] = None,
    token: Annotated[str | None, _option("--token", help="Token.", env="NATS_TOKEN")] = None,
    creds: Annotated[
        str | None, _option("--creds", help="File with user JWT and seed.", env="NATS_CREDS", metavar="FILE")
    ] = None,
    nkey: Annotated[
        str | None, _option("--nkey", help="File with an nkey user seed.", env="NATS_NKEY", metavar="FILE")
    ] = None,
    tls_cert: Annotated[
        str | None, _option("--tlscert", help="Client certificate.", env="NATS_CERT", metavar="FILE")
    ] = None,
    tls_key: Annotated[
        str | None, _option("--tlskey", help="Key of the client certificate.", env="NATS_KEY", metavar="FILE")
    ] = None,
    tls_ca: Annotated[
        str | None, _option("--tlsca", help="CA certificates to trust.", env="NATS_CA", metavar="FILE")
    ] = None,
    tls_first: Annotated[
        bool | None, typer.Option("--tlsfirst", help="Begin TLS before the server's INFO.", rich_help_panel=_PANEL)
    ] = None,
    timeout_s: Annotated[
        float | None,
        _option(
            "--timeout",
            help="Longest wait for the server or a reply (default 5s).",
            env="NATS_TIMEOUT",
            metavar="DURATION",
            parser=duration,
        ),
    ] = None,
    connection_name: Annotated[
        str | None, _option("--connection-name", help="Name shown by the server (default: natsctl and the command).")
    ] = None,
    inbox_prefix: Annotated[
        str | None, _option("--inbox-prefix", help="First tokens of reply subjects.", metavar="PREFIX")
    ] = None,
) -> None:
    """Declare the options whose values become `Settings`."""


def _context_options(
    context: Annotated[
        str | None, _option("--context", help="Context to use.", env="NATS_CONTEXT", metavar="NAME")
    ] = None,
    no_context: Annotated[
        bool, typer.Option("--no-context", help="Use no context, selected or not.", rich_help_panel=_PANEL)
    ] = False,
) -> None:
    """Declare the options that choose a context."""


def takes_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all connection options; it receives what they amount to as ``settings``."""
    return _with_options(command, (_options, _context_options), _resolve)


def takes_given_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the connection options; it receives as ``settings`` only what its command line says."""
    return _with_options(command, (_options,), lambda ctx, values: given_settings(ctx, values, "COMMANDLINE"))


def given_settings(ctx: typer.Context, values: dict[str, Any], source: str) -> Settings:
    """Make settings of the values that come from one source, ``COMMANDLINE`` or ``ENVIRONMENT``."""
    given = {name: value for name, value in values.items() if _source(ctx, name) == source}
    servers = split_servers(given.pop("server", []))
    settings = Settings(**given)
    if servers.user and (settings.user or settings.token):
        raise UsageError("credentials both in the server URL and apart from it")
    return settings.over(servers)


def _resolve(ctx: typer.Context, values: dict[str, Any]) -> Settings:
    context, no_context = values.pop("context"), values.pop("no_context")
    below = Settings(connection_name=f"natsctl {ctx.info_name}")
    if not no_context:
        store = ContextStore()
        if chosen := context or store.selected():
            below = context_settings(store.load(chosen)).over(below)
    environment = given_settings(ctx, values, "ENVIRONMENT").over(below)
    settings = given_settings(ctx, values, "COMMANDLINE").over(environment)
    return settings.completed()


def _source(ctx: typer.Context, name: str) -> str:
    source = ctx.get_parameter_source(name)
    return source.name if source else ""


def _with_options(
    command: Callable[..., None],
    declarations: tuple[Callable[..., None], ...],
    resolve: Callable[[typer.Context, dict[str, Any]], Settings],
) -> Callable[..., None]:
    """Make a function whose signature, which Typer reads, has the declared options in place of ``settings``."""
    own = inspect.signature(command, eval_str=True).parameters
    shared = {
        name: parameter
        for declaration in declarations
        for name, parameter in inspect.signature(declaration, eval_str=True).parameters.items()
    }

    @functools.wraps(command)
    def with_settings(ctx: typer.Context, **values: Any) -> None:
        settings = resolve(ctx, {name: values.pop(name) for name in shared})
        command(**values, settings=settings)

    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    kept = [parameter for name, parameter in own.items() if name != "settings"]
    parameters = [context, *kept, *shared.values()]
    signature = inspect.Signature([parameter.replace(kind=context.kind) for parameter in parameters])
    with_settings.__signature__ = signature  # type: ignore[attr-defined]  # every function may have one (PEP 362)
    with_settings.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_settings
