"""The JSON documents of the client protocol: INFO from the server, CONNECT from the client.

Source: nats-server 2.15 ``ServerInfo``/``Info`` and ``ClientOpts``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

__all__ = ["PROTOCOL_RELEASE", "Connect", "Info", "decode_connect", "decode_lenient", "encode_info"]

PROTOCOL_RELEASE = "2.15.1"
"""The nats-server release whose protocol is spoken; clients switch features on by it."""

DocumentT = TypeVar("DocumentT", bound=msgspec.Struct)


class Info(msgspec.Struct, omit_defaults=True, kw_only=True):
    r"""What the server says first, and again when something changes.

    Wire: ``INFO {...} \r\n`` (a blank before the line end).
    """

    server_id: str
    server_name: str
    version: str
    proto: int
    go: str
    host: str
    port: int
    headers: bool
    max_payload: int
    auth_required: bool = False
    tls_required: bool = False
    tls_verify: bool = False
    tls_available: bool = False
    client_id: int = 0
    client_ip: str = ""
    nonce: str = ""
    cluster: str = ""
    cluster_dynamic: bool = False
    connect_urls: list[str] = []
    ldm: bool = False
    connect_info: bool = False
    remote_account: str = ""
    acc_is_sys: bool = False
    api_lvl: int = 0
    xkey: str = ""


class Connect(msgspec.Struct, kw_only=True):
    r"""What a client says of itself; keys that are absent keep the values below.

    Wire: ``CONNECT {...}\r\n``.
    """

    verbose: bool = True
    pedantic: bool = True
    echo: bool = True
    tls_required: bool = False
    nkey: str = ""
    jwt: str = ""
    sig: str = ""
    auth_token: str = ""
    user: str = ""
    password: str = msgspec.field(default="", name="pass")
    name: str = ""
    lang: str = ""
    version: str = ""
    protocol: int = 0
    account: str = ""
    new_account: bool = False
    headers: bool = False
    no_responders: bool = False

    @property
    def has_credentials(self) -> bool:
        """Whether any way of logging in is given."""
        return bool(self.user or self.password or self.auth_token or self.nkey or self.jwt)


_encoder = msgspec.json.Encoder()


def encode_info(info: msgspec.Struct) -> bytes:
    """Write the INFO line."""
    return b"INFO " + _encoder.encode(info) + b" \r\n"


def decode_connect(document: bytes, before: Connect | None = None) -> Connect:
    """Read the argument of CONNECT as leniently as nats-server.

    What an earlier CONNECT of the same connection said holds for keys that this one leaves out.

    Keys come in any case, null stands for absent, unknown keys are ignored.

    Raises:
        ValueError: Not a JSON object, or a known key has a value of the wrong type. The message names the key, never
            a value.
    """
    return decode_lenient(document, Connect, "CONNECT", msgspec.to_builtins(before) if before is not None else {})


def decode_lenient(
    document: bytes, kind: type[DocumentT], verb: str, before: Mapping[str, Any] = MappingProxyType({})
) -> DocumentT:
    """Read the argument of a CONNECT or INFO into its Struct, as leniently as nats-server.

    Args:
        document: What came behind the verb.
        kind: The Struct; its keys are lower case.
        verb: Names the document in errors.
        before: What holds for keys that the document leaves out.

    Raises:
        ValueError: As :func:`decode_connect`.
    """
    try:
        # Go replaces invalid UTF-8 instead of refusing it; a lone surrogate escape it replaces too.
        given = msgspec.json.decode(document.decode("utf-8", "replace"))
        if given is None:
            given = {}
        if not isinstance(given, dict):
            raise ValueError(f"{verb} takes a JSON object, found {type(given).__name__}")
        known: dict[str, Any] = {key.lower(): value for key, value in given.items() if value is not None}
        return msgspec.convert({**before, **known}, kind)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError(f"{verb} is nested too deeply") from None
