"""``$SYS.REQ.USER.INFO``: a client asks who it is.

Source: nats-server ``events.go`` (userInfoReq), ADR-39.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from natsctl.broker.auth import GLOBAL_ACCOUNT, SYSTEM_ACCOUNT
from natsctl.broker.identity import Identity
from natsctl.config import Options
from natsctl.config.options import Permission, Permissions
from natsctl.engine.api import Delivery, Engine, InternalSession
from natsctl.protocol.documents import PROTOCOL_RELEASE

__all__ = ["SUBJECT", "Informed", "UserInfo"]

SUBJECT = b"$SYS.REQ.USER.INFO"


class Informed(Protocol):
    """What the answers depend on."""

    options: Options
    engine: Engine
    identity: Identity


class UserInfo:
    """The service in every account."""

    def __init__(self, broker: Informed) -> None:
        self._broker = broker
        self._served: set[str] = set()
        self._n_answers = 0

    def serve_all(self) -> None:
        """Answer in every account there is from now on."""
        options = self._broker.options
        if options.no_system_account and not options.system_account:
            return  # without a system account there is nobody to answer $SYS requests
        system = options.system_account or SYSTEM_ACCOUNT
        for account in (GLOBAL_ACCOUNT, system, *(each.name for each in options.accounts)):
            if account not in self._served:
                self._served.add(account)
                self._broker.engine.open_internal(account).subscribe(SUBJECT)

    def answer(self, session: InternalSession, request: Delivery) -> None:
        """Answer one request; without a reply subject there is nobody to tell."""
        if request.reply and request.source is not None and request.source.owner is not None:
            session.publish(request.reply, msgspec.json.encode(self._document(request.source.owner)))

    def _document(self, connection: Any) -> dict[str, Any]:
        options, identity = self._broker.options, self._broker.identity
        self._n_answers += 1
        server: dict[str, Any] = {
            "name": identity.server_name,
            "host": identity.host,
            "id": identity.server_id,
            "ver": PROTOCOL_RELEASE,
        }
        if options.server_tags:
            server["tags"] = options.server_tags
        if options.server_metadata:
            server["metadata"] = options.server_metadata
        server |= {"jetstream": False, "flags": 0, "seq": self._n_answers}
        server["time"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        login = connection.login
        account = connection.session.account
        data: dict[str, Any] = {"user": login.name, "account": account, "account_name": account}
        if login.rules is not None:
            data["permissions"] = _permissions(login.rules)
        return {"server": server, "data": data}


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
