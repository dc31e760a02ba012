"""What a reload needs of the broker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from natsctl.broker.auth import Authenticator
from natsctl.broker.client_events import ClientEvents
from natsctl.broker.identity import Identity
from natsctl.broker.leafnodes import Leafnodes
from natsctl.broker.logs import Logger
from natsctl.broker.processfiles import ProcessFiles
from natsctl.broker.registry import Registry
from natsctl.broker.routes import Mesh
from natsctl.broker.services import Services
from natsctl.broker.tls.security import Security
from natsctl.config import Options
from natsctl.engine.api import Engine

if TYPE_CHECKING:
    from natsctl.broker.monitor import Monitor

__all__ = ["ReloadHost"]


class ReloadHost(Protocol):
    """A broker, as a reload sees it."""

    options: Options
    read_options: Callable[[], Options] | None
    """Reads the configuration again; None for a broker that has no file."""
    config_loaded_at: datetime
    log: Logger
    files: ProcessFiles | None
    """The files of the process; None where the broker is a part of another program."""
    host: str
    port: int
    engine: Engine
    identity: Identity
    registry: Registry
    authenticator: Authenticator
    events: ClientEvents
    services: Services
    security: Security | None
    monitor: Monitor | None
    mesh: Mesh
    leafnodes: Leafnodes

    def listeners(self) -> dict[str, list[str]]:
        """Name the addresses listened on, by what is spoken there, as URLs."""

    def flush_touched(self) -> object:
        """Flush every connection whose session got output."""
