"""The document of ``/healthz``: may the server be sent work?

Source: nats-server 2.15 ``HealthStatus``, ``HealthzError``.
"""

from __future__ import annotations

from natsctl.monitoring.documents.fields import Document, Int, always, if_any

__all__ = ["Healthz", "HealthzError"]


class HealthzError(Document):
    """One finding, listed with ``details=1``."""

    type: str = always(str)
    account: str = ""
    stream: str = ""
    consumer: str = ""
    error: str = ""


class Healthz(Document):
    """``status`` is ``ok``, ``error`` or ``unavailable``."""

    status: str = always(str)
    status_code: Int = 0
    error: str = ""
    errors: list[HealthzError] = if_any(list)
