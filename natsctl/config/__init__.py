"""``nats.conf``: its language, and the typed options it means."""

from natsctl.config.options import Options

__all__ = ["Options"]
