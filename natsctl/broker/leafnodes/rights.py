"""What may pass over a leafnode connection, and in which direction.

A hub holds a leafnode to the permissions of its user, and tells it what they are, so that it sends nothing that would
end the connection; each side may deny more.

Source: nats-server ``leafnode.go`` (processLeafnodeInfo, processLeafNodeConnect, sendPermsAndAccountInfo).
"""

from __future__ import annotations

from collections.abc import Iterable

from natsctl.broker.leafnodes.documents import LeafInfo, SubjectRights
from natsctl.config.options import Permission, RemoteOptions
from natsctl.config.options import Permissions as PermissionOptions
from natsctl.engine.permissions import Permissions, Rule
from natsctl.protocol.subject import is_valid

__all__ = ["rights_of_hub", "rights_of_leafnode", "told_rights"]

_MARKS = Rule(b"$LDS.>")
"""The marks by which loops are found pass whatever else may not."""


def rights_of_leafnode(rules: PermissionOptions | None, denied: Iterable[str]) -> Permissions | None:
    """Compile what a leafnode may send here and be sent from here.

    Args:
        rules: Those of its user; None allows everything.
        denied: Subjects that it does not want to be sent.
    """
    publish, subscribe = (rules.publish, rules.subscribe) if rules is not None else (Permission(), Permission())
    return _compile(publish, Permission(subscribe.allow, [*subscribe.deny, *denied]))


def rights_of_hub(info: LeafInfo, remote: RemoteOptions) -> Permissions | None:
    """Compile what a hub may send here and be sent from here.

    Args:
        info: What it says that it lets pass.
        remote: What we do not let pass.
    """
    imports, exports = info.import_ or SubjectRights(), info.export or SubjectRights()
    return _compile(
        Permission(imports.allow, [*(imports.deny or ()), *remote.deny_imports]),
        Permission(exports.allow, [*(exports.deny or ()), *remote.deny_exports]),
    )


def told_rights(rules: PermissionOptions | None) -> tuple[SubjectRights | None, SubjectRights | None]:
    """Say what INFO tells of a user's permissions: what the leafnode may be sent, and what it may send."""
    if rules is None:
        return None, None
    return _told(rules.subscribe), _told(rules.publish)


def _told(permission: Permission) -> SubjectRights | None:
    if permission.allow is None and not permission.deny:
        return None
    return SubjectRights(permission.allow, permission.deny or None)


def _compile(incoming: Permission, outgoing: Permission) -> Permissions | None:
    if incoming == outgoing == Permission():
        return None
    return Permissions(
        publish_allow=None if incoming.allow is None else [_MARKS.subject, *_subjects(incoming.allow)],
        publish_deny=_subjects(incoming.deny),
        subscribe_allow=None if outgoing.allow is None else [_MARKS, *_rules(outgoing.allow)],
        subscribe_deny=_rules(outgoing.deny),
    )


def _rules(texts: Iterable[str]) -> list[Rule]:
    """Read subjects, each perhaps with a queue group; a peer may send what is none, which then matches nothing."""
    words = [text.encode("utf-8", "replace").split() for text in texts]
    return [Rule(*each) for each in words if len(each) in (1, 2) and all(map(is_valid, each))]


def _subjects(texts: Iterable[str]) -> list[bytes]:
    return [rule.subject for rule in _rules(texts) if rule.queue is None]
