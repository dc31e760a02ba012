"""The broker's monitoring over HTTP: nats-server's pages, and ``/metrics``.

Imported only by a broker with a monitoring port: uvicorn, starlette, psutil and prometheus-client come with it.
"""

from natsctl.broker.monitor.server import Monitor

__all__ = ["Monitor"]
