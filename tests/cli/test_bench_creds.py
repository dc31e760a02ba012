"""``natsctl bench`` with a credentials file: the worker signs the server's nonce."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nkeys  # type: ignore[import-untyped]  # it has no types

from tests.cli.conftest import Shell

UNLIMITED = {"subs": -1, "data": -1, "payload": -1}


def make_key(prefix: int) -> tuple[nkeys.KeyPair, str, str]:
    """A key pair, its public key and its seed."""
    pair = nkeys.from_seed(nkeys.encode_seed(os.urandom(32), prefix))
    return pair, pair.public_key.decode(), pair.seed.decode()


def sign(issuer: nkeys.KeyPair, subject: str, kind: str, **claims: Any) -> str:
    """A JWT of version 2, as operators and accounts issue them."""
    body = {
        "jti": "x",
        "iat": 1_700_000_000,
        "iss": issuer.public_key.decode(),
        "sub": subject,
        "name": kind,
        "nats": {"type": kind, "version": 2, **claims},
    }
    parts = [{"typ": "JWT", "alg": "ed25519-nkey"}, body]
    text = ".".join(encode(json.dumps(part).encode()) for part in parts)
    return f"{text}.{encode(issuer.sign(text.encode()))}"


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_a_credentials_file_lets_every_worker_in(
    natsctl: Shell, start_server: Callable[[str], str], tmp_path: Path
) -> None:
    operator, operator_id, _ = make_key(nkeys.PREFIX_BYTE_OPERATOR)
    account, account_id, _ = make_key(nkeys.PREFIX_BYTE_ACCOUNT)
    _, user_id, user_seed = make_key(nkeys.PREFIX_BYTE_USER)
    limits = UNLIMITED | {"imports": -1, "exports": -1, "wildcards": True, "conn": -1, "leaf": -1}
    account_jwt = sign(operator, account_id, "account", limits=limits)
    url = start_server(
        f"operator: {sign(operator, operator_id, 'operator')}\n"
        f"resolver: MEMORY\nresolver_preload: {{ {account_id}: {account_jwt} }}\n"
    )
    user_jwt = sign(account, user_id, "user", **UNLIMITED)
    file = tmp_path / "user.creds"
    file.write_text(
        f"-----BEGIN NATS USER JWT-----\r\n{user_jwt}\r\n------END NATS USER JWT------\r\n\r\n"
        f"-----BEGIN USER NKEY SEED-----\r\n{user_seed}\r\n------END USER NKEY SEED------\r\n"
    )
    done = natsctl("bench", "-np", "2", "-ns", "2", "-n", "100", "-s", url, "-creds", str(file), "hi")
    assert done.code == 0, done.err
    assert natsctl("bench", "-n", "100", "-s", url, "hi").code == 5
