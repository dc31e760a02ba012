"""From settings to what nats-py takes: TLS context, keys and secrets, checked before anything is sent."""

from __future__ import annotations

import base64
import binascii
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nats.aio.client import RawCredentials

from natsctl.errors import UsageError
from natsctl.ops.settings import Settings

__all__ = ["connect_arguments", "tls_context", "wants_tls"]

_JWT_MARK = "-----BEGIN NATS USER JWT-----"
_SEED_MARK = "-----BEGIN USER NKEY SEED-----"
_USER_SEED = re.compile(r"SU[A-Z2-7]{56}")
_ELSEWHERE = ("op://", "nsc://")
"""Stores of other programs that a context may point to."""


def connect_arguments(settings: Settings) -> dict[str, Any]:
    """Make the arguments of ``Client.connect`` that say who is connecting, and how securely.

    Raises:
        UsageError: A file cannot be used for its purpose; the message never shows its content.
        OSError: A file cannot be read.
    """
    arguments: dict[str, Any] = {"user": settings.user, "password": settings.password, "token": settings.token}
    if settings.creds:
        arguments["user_credentials"] = RawCredentials(_read_creds(settings.creds))
    elif settings.nkey:
        arguments["nkeys_seed_str"] = _read_seed(settings.nkey)
        if settings.user_jwt:
            jwt = settings.user_jwt.encode()
            arguments["user_jwt_cb"] = lambda: jwt
    elif settings.user_jwt:
        raise UsageError("a user jwt needs the nkey seed that signs for it")
    if wants_tls(settings):
        arguments["tls"] = tls_context(settings)
        arguments["tls_handshake_first"] = bool(settings.tls_first)
    return arguments


def wants_tls(settings: Settings) -> bool:
    """Whether the connection must be encrypted, whatever the server offers."""
    files = settings.tls_cert or settings.tls_key or settings.tls_ca
    return bool(settings.tls_first or files or any(url.startswith("tls:") for url in settings.servers or ()))


def tls_context(settings: Settings) -> ssl.SSLContext:
    """Make the TLS context: system CAs unless a CA file is given, and the client certificate if there is one."""
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise UsageError("a client certificate and its key go together")
    context = ssl.create_default_context()
    if settings.tls_ca:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _load(settings.tls_ca, "CA certificates", context.load_verify_locations)
    if settings.tls_cert and settings.tls_key:
        key = str(Path(settings.tls_key).expanduser())
        with open(key, "rb"):  # OpenSSL does not say which of the two files it cannot open
            pass
        _load(settings.tls_cert, "certificate and key", lambda path: context.load_cert_chain(path, key, _no_passphrase))
    return context


def _load(file: str, what: str, load: Callable[[str], None]) -> None:
    path = Path(file).expanduser()
    with path.open("rb"):  # an OSError of ours names the file, that of OpenSSL does not
        pass
    try:
        load(str(path))
    except ssl.SSLError as error:
        raise UsageError(f"cannot use the {what} in {file}: {error.reason or error}") from None


def _no_passphrase() -> str:
    raise UsageError("the TLS key is encrypted; natsctl reads only keys without a passphrase")


def _read_creds(value: str) -> str:
    text = value if _JWT_MARK in value else _read_secret(value, "credentials")
    if _JWT_MARK not in text or _SEED_MARK not in text:
        raise UsageError(f"{value} is no credentials file: it lacks the user JWT or the nkey seed")
    return text


def _read_seed(value: str) -> str:
    text = value if value.startswith("SU") else _read_secret(value, "nkey")
    seed = next((line for line in map(str.strip, text.splitlines()) if line.startswith("SU")), "")
    if not _is_user_seed(seed):
        raise UsageError("the nkey is no user seed (SU…), or it is damaged")
    return seed


def _is_user_seed(seed: str) -> bool:
    """Check shape and checksum: nkeys itself takes a seed with a typing error for the seed of somebody else."""
    if not _USER_SEED.fullmatch(seed):
        return False
    raw = base64.b32decode(seed + "======")
    return binascii.crc_hqx(raw[:-2], 0) == int.from_bytes(raw[-2:], "little")


def _read_secret(path: str, what: str) -> str:
    if path.startswith(_ELSEWHERE):
        raise UsageError(f"{what} in {path.partition(':')[0]} are not supported", hint="export them to a file")
    try:
        return Path(path).expanduser().read_text()
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text file with {what}") from None
