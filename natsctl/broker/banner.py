"""The first lines of the log: what starts, as whom, and from which file.

Source: nats-server ``server.go`` (NewServer, Start); its lines, with our name and engine.
"""

from __future__ import annotations

import platform

from natsctl import __version__
from natsctl.broker.identity import Identity
from natsctl.broker.logs import Logger
from natsctl.config import Options
from natsctl.protocol.documents import PROTOCOL_RELEASE
from natsctl.units import format_bytes

__all__ = ["announce"]

_LARGE_PAYLOAD_BYTES = 8 * 1024 * 1024


def announce(log: Logger, options: Options, identity: Identity, engine: str, has_plain_passwords: bool) -> None:
    """Log who starts, and what an operator should know before the first client comes."""
    log.info("Starting natsctl server")
    log.info(f"  Version:  {__version__} (nats-server {PROTOCOL_RELEASE} protocol)")
    log.info(f"  Engine:   {engine}")
    log.debug(f"  Python:   {platform.python_version()}")
    log.info(f"  Name:     {identity.server_name}")
    log.info(f"  ID:       {identity.server_id}")
    if has_plain_passwords:
        log.warn("Plaintext passwords detected, use nkeys or bcrypt")
    if options.max_payload > _LARGE_PAYLOAD_BYTES:
        limit = format_bytes(_LARGE_PAYLOAD_BYTES)
        log.warn(f"Maximum payloads over {limit} are generally discouraged and could lead to poor performance")
    if options.config_file:
        log.info(f"Using configuration file: {options.config_file} ({options.config_digest})")
    if not options.system_account and not options.no_system_account:
        log.debug('Created system account: "$SYS"')
