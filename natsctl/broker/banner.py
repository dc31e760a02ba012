"""The first lines of the log: what starts, as whom, and from which file.

Source: nats-server ``server.go`` (NewServer, Start); its lines, with our name and engine.
"""

from __future__ import annotations

import os
import platform
import stat

from natsctl import __version__
from natsctl.broker.identity import Identity
from natsctl.broker.logs import Logger
from natsctl.config import Options
from natsctl.protocol.documents import PROTOCOL_RELEASE
from natsctl.units import format_bytes

__all__ = ["announce", "announce_listener"]

_LARGE_PAYLOAD_BYTES = 8 * 1024 * 1024
_OTHERS = stat.S_IROTH | stat.S_IWOTH


def announce(log: Logger, options: Options, identity: Identity, engine: str, has_plain_passwords: bool) -> None:
    """Log who starts, and what an operator should know before the first client comes."""
    log.info("Starting natsctl server")
    log.info(f"  Version:  {__version__} (nats-server {PROTOCOL_RELEASE} protocol)")
    log.info(f"  Engine:   {engine}")
    log.debug(f"  Python:   {platform.python_version()}")
    if identity.cluster:
        log.info(f"  Cluster:  {identity.cluster}")
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


def announce_listener(log: Logger, options: Options, address: str) -> None:
    """Log where clients connect, and how."""
    log.info(f"Listening for client connections on {address}")
    if options.tls is None:
        return
    log.info(f"TLS {'required' if options.is_tls_required else 'available'} for client connections")
    if options.tls.is_always_first:
        log.warn('Clients that are not using "TLS Handshake First" option will fail to connect')
    for certificate in options.tls.certificates:
        if os.name == "posix" and os.stat(certificate.key_file).st_mode & _OTHERS:
            log.warn(f"Private key {certificate.key_file} can be read by other users of this machine")
