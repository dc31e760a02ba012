"""The server: life cycle, listeners, connections, authentication, logs."""

from natsctl.broker.broker import Broker
from natsctl.broker.serve import serve

__all__ = ["Broker", "serve"]
