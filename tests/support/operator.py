"""A deployment in operator mode: an operator, an account and a user, as signed documents."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from pathlib import Path

from nacl.signing import SigningKey

from natsctl.protocol.nkey import USER, encode_public
from tests.support.nkeys import encode_seed

__all__ = ["Deployment"]

_OPERATOR, _ACCOUNT = 14 << 3, 0
_UNLIMITED = {
    name: -1 for name in ("subs", "data", "payload", "imports", "exports", "conn", "leaf", "mem_storage", "streams")
}


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class _Signer:
    def __init__(self, kind: int) -> None:
        self.key = SigningKey.generate()
        self.public = encode_public(kind, bytes(self.key.verify_key))

    def sign(self, subject: str, name: str, claims: Mapping[str, object]) -> str:
        header = {"typ": "JWT", "alg": "ed25519-nkey"}
        document: dict[str, object] = {
            "jti": name,
            "iat": int(time.time()),
            "iss": self.public,
            "name": name,
            "sub": subject,
        }
        document["nats"] = {**claims, "version": 2}
        text = f"{_encode(json.dumps(header).encode())}.{_encode(json.dumps(document).encode())}"
        return f"{text}.{_encode(self.key.sign(text.encode()).signature)}"


class Deployment:
    """What a server needs to know of it, and what a user shows.

    Attributes:
        config: Lines of a server's configuration.
        account: Public key, and so the name, of the account.
    """

    def __init__(self) -> None:
        operator, account, user = _Signer(_OPERATOR), _Signer(_ACCOUNT), _Signer(USER)
        operator_jwt = operator.sign(operator.public, "operator", {"type": "operator"})
        limits = {"limits": _UNLIMITED | {"wildcards": True}, "type": "account"}
        account_jwt = operator.sign(account.public, "account", limits)
        self._user_jwt = account.sign(user.public, "user", {"type": "user", "subs": -1, "data": -1, "payload": -1})
        self._seed = encode_seed(USER, bytes(user.key))
        self.account = account.public
        self.config = (
            f"operator: {operator_jwt}\nresolver: MEMORY\nresolver_preload {{ {account.public}: {account_jwt} }}\n"
        )

    def write_credentials(self, path: Path) -> None:
        """Write the file that the user logs in with."""
        path.write_text(
            f"-----BEGIN NATS USER JWT-----\n{self._user_jwt}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{self._seed}\n------END USER NKEY SEED------\n"
        )
        path.chmod(0o600)
