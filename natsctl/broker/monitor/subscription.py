"""One subscription, as several pages show it."""

from __future__ import annotations

from natsctl.engine.api import SubscriptionView
from natsctl.monitoring.documents import SubDetail

__all__ = ["describe", "shown"]


def describe(view: SubscriptionView, cid: int, account: str = "") -> SubDetail:
    """Describe a subscription; pages about one connection leave its account out."""
    return SubDetail(
        account=account,
        account_tag=account,
        subject=shown(view.subject),
        qgroup=shown(view.queue) if view.queue is not None else "",
        sid=shown(view.sid),
        msgs=view.delivered,
        max=view.max_msgs,
        cid=cid,
    )


def shown(data: bytes) -> str:
    """Bytes of a client as text; JSON takes no others."""
    return data.decode("utf-8", "replace")
