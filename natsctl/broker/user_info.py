"""``$SYS.REQ.USER.INFO``: a client asks who it is.

Source: nats-server ``events.go`` (userInfoReq), ADR-39.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from natsctl.broker.identity import Identity
from natsctl.config import Options
from natsctl.config.options import Permission, Permissions
from natsctl.engine.api import Delivery, Engine, InternalSession
from natsctl.protocol.documents import PROTOCOL_RELEASE

__all__ = ["SUBJECT", "UserInfo"]

SUBJECT = b"$SYS.REQ.USER.INFO"


class UserInfo:
    """The service in every account."""

    def __init__(self, engine: Engine, options: Options, identity: Identity) -> None:
        self._engine = engine
        self._options = options
        self._identity = identity
        self._n_answers = 0

    def serve(self, account: str) -> None:
        """Answer in an account from now on."""
        self._engine.open_internal(account).subscribe(SUBJECT)

    def answer(self, session: InternalSession, request: Delivery) -> None:
        """Answer one request; without a reply subject there is nobody to tell."""
        if request.reply and request.source is not None and request.source.owner is not None:
            session.publish(request.reply, msgspec.json.encode(self._document(request.source.owner)))

    def _document(self, connection: Any) -> dict[str, Any]:
        options, identity = self._options, self._identity
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
