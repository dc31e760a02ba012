"""``natsctl server``: run the embedded broker, with the flags of nats-server."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from natsctl import __version__
from natsctl.cli.goflags import GoCommand
from natsctl.cli.server_flags import apply_flags, takes_flags, unavailable_flags
from natsctl.cli.server_tls_help import TLS_HELP
from natsctl.config import Options, check_start, load
from natsctl.errors import ConfigError, NatsctlError, Problem, ServerError
from natsctl.protocol.documents import PROTOCOL_RELEASE

__all__ = ["app", "server"]

app = typer.Typer(add_completion=False)


@app.command("server", cls=GoCommand, options_metavar="[FLAGS]")
@takes_flags
def server(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="help|version|reload", hidden=True)] = None,
    **flags: Any,
) -> None:
    """Run the embedded broker until it is stopped.

    The flags are those of nats-server, in Go's manner: one dash or two, a value after a blank or after =, a boolean
    switched off with =false. A flag wins over the same setting in the configuration file.

    "natsctl server reload" has a running server read its configuration again, as SIGHUP and --signal reload do. Behind
    it may stand a process id, a pid file, or the configuration file, which is checked first.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        code = _run(context, words or [], given)
    except NatsctlError as error:
        print(f"natsctl server: {error}", file=sys.stderr)
        raise typer.Exit(error.exit_code) from None
    raise typer.Exit(code)


def _run(context: typer.Context, words: list[str], flags: Mapping[str, Any]) -> int:
    word = words[0].lower() if words else ""
    if flags.get("version") or word == "version":
        print(f"natsctl-server: v{__version__} (nats-server {PROTOCOL_RELEASE} protocol)")
        return 0
    if flags.get("help_tls"):
        print(TLS_HELP)
        return 0
    if word == "help":
        print(context.get_help())
        return 0
    if word == "reload" and len(words) <= 2:
        return _reload("".join(words[1:]))
    if words:
        raise ServerError(f'unrecognized command: "{words[0]}"')
    if flags.get("signal"):
        from natsctl.broker.signals import send_signal

        send_signal(flags["signal"])
        return 0
    return _check(flags) if flags.get("t") else _start(flags)


def _reload(target: str) -> int:
    from natsctl.broker.signals import reload_server

    for pid in reload_server(target):
        print(f"server {pid} was told to reload; its log says what has changed")
    return 0


def _check(flags: Mapping[str, Any]) -> int:
    """Do what ``-t`` asks for; warnings are failures here, so that a deployment script hears of them."""
    path = flags.get("config")
    if not path:
        raise ServerError("must specify [-c, --config] option to check configuration file syntax")
    loaded = load(path)
    if loaded.warnings:
        raise ConfigError(loaded.warnings)
    print(f"natsctl server: configuration file {path} is valid ({loaded.digest})", file=sys.stderr)
    return 0


def _start(flags: Mapping[str, Any]) -> int:
    options, warnings = _read(flags)
    if problems := check_start(options):
        raise ConfigError(problems)
    from natsctl.broker import serve

    read_options = (lambda: _read(flags)[0]) if flags.get("config") else None
    return serve(options, [*warnings, *_unused_logins(options, flags)], read_options)


def _read(flags: Mapping[str, Any]) -> tuple[Options, Sequence[Problem]]:
    """Read the configuration file, if there is one, with the flags on top; at the start and at each reload."""
    loaded = load(flags["config"]) if flags.get("config") else None
    options = loaded.options if loaded else Options()
    apply_flags(options, flags)
    if unavailable := [*unavailable_flags(flags), *(loaded.unavailable if loaded else ())]:
        raise ConfigError(unavailable)
    return options, loaded.warnings if loaded else ()


def _unused_logins(options: Options, flags: Mapping[str, Any]) -> list[Problem]:
    """Find logins given as flags that let nobody in; nats-server says nothing about them."""
    login = options.authorization
    if flags.get("pass_") and not login.user:
        return [Problem("flag --pass has no effect without a user")]
    if flags.get("user") and (login.token or login.users):
        return [Problem("flag --user has no effect beside a token or a list of users")]
    return []
