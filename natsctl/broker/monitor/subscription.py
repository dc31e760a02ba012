"""One subscription, as several pages show it."""

from __future__ import annotations

from natsctl.engine.api import LinkInterest, SubscriptionView
from natsctl.monitoring.documents import SubDetail

__all__ = ["describe", "describe_interest", "shown"]


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


def describe_interest(interest: LinkInterest, cid: int, account: str = "") -> SubDetail:
    """Describe what another server wants; in place of a sid it is known by its account, subject and queue group.

    Args:
        interest: What is wanted.
        cid: The connection's.
        account: For connections that have not one account only.
    """
    subject = shown(interest.subject)
    queue = shown(interest.queue) if interest.queue is not None else ""
    return SubDetail(subject=subject, qgroup=queue, sid=" ".join(filter(None, (account, subject, queue))), cid=cid)


def shown(data: bytes) -> str:
    """Bytes of a client as text; JSON takes no others."""
    return data.decode("utf-8", "replace")
