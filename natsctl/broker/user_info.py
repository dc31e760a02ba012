"""``$SYS.REQ.USER.INFO``: a client asks who it is.

Source: nats-server ``events.go`` (userInfoReq), ADR-39.
"""

from __future__ import annotations

from typing import Any

from natsctl.config.options import Permission, Permissions

__all__ = ["user_info"]


def user_info(connection: Any) -> dict[str, Any]:
    """Tell a connection who its user is, and what it may do."""
    login, account = connection.login, connection.session.account
    data: dict[str, Any] = {"user": login.name, "account": account, "account_name": account}
    if login.rules is not None:
        data["permissions"] = _permissions(login.rules)
    return data


def _permissions(rules: Permissions) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, permission in (("publish", rules.publish), ("subscribe", rules.subscribe)):
        if lists := _lists(permission):
            document[name] = lists
    if rules.allow_responses is not None:
        answers = rules.allow_responses
        document["responses"] = {"max": answers.max_msgs, "ttl": round(answers.expires_s * 1e9)}
    return document


def _lists(permission: Permission) -> dict[str, list[str]]:
    lists = {}
    if permission.allow is not None:
        lists["allow"] = permission.allow
    if permission.deny:
        lists["deny"] = permission.deny
    return lists
