"""The JSON documents of leafnode connections: INFO from the hub, CONNECT from the leafnode.

Source: nats-server 2.15 ``Info`` and ``leafConnectInfo``.
"""

from __future__ import annotations

import msgspec

from natsctl.protocol.documents import Connect, decode_lenient

__all__ = ["LeafConnect", "LeafInfo", "SubjectRights", "decode_connect", "decode_info", "encode_connect"]

API_LEVEL = 5
"""Level of the JetStream API that servers of release 2.15 state."""


class SubjectRights(msgspec.Struct, omit_defaults=True):
    """Subjects that may and may not be used in one direction; without ``allow`` all that are not denied."""

    allow: list[str] | None = None
    deny: list[str] | None = None


class LeafInfo(msgspec.Struct, omit_defaults=True, kw_only=True):
    r"""What a hub says first, again when it has let the leafnode in, and when something changes.

    Wire: ``INFO {...} \r\n`` (a blank before the line end).
    """

    server_id: str = ""
    server_name: str = ""
    version: str = ""
    proto: int = 0
    go: str = ""
    host: str = ""
    port: int = 0
    headers: bool = False
    auth_required: bool = False
    tls_required: bool = False
    tls_verify: bool = False
    max_payload: int = 0
    ip: str = ""
    client_id: int = 0
    nonce: str = ""
    cluster: str = ""
    connect_info: bool = False
    remote_account: str = ""
    acc_is_sys: bool = False
    api_lvl: int = 0
    import_: SubjectRights | None = msgspec.field(default=None, name="import")
    """What the leafnode may be sent."""
    export: SubjectRights | None = None
    """What the leafnode may send."""
    info_on_connect: bool = False
    """Whether another INFO answers the CONNECT."""
    leafnode_urls: list[str] | None = None
    """Every server of the hub; a port for others has none."""
    ldm: bool = False


class LeafConnect(msgspec.Struct, omit_defaults=True, kw_only=True):
    r"""What a leafnode says of itself.

    Wire: ``CONNECT {...}\r\n``.
    """

    version: str = ""
    nkey: str = ""
    jwt: str = ""
    sig: str = ""
    user: str = ""
    password: str = msgspec.field(default="", name="pass")
    auth_token: str = ""
    server_id: str = ""
    name: str = ""
    cluster: str = ""
    headers: bool = False
    deny_pub: list[str] = []
    """Subjects that the hub must not send."""
    compress_mode: str = ""
    remote_account: str = ""
    """The account on the leafnode's side."""
    protocol: int = 0
    lang: str = ""
    """Only clients have one: who says it came to the wrong port."""
    gateway: str = ""

    def login(self) -> Connect:
        """The same credentials as those of a client."""
        return Connect(
            nkey=self.nkey,
            jwt=self.jwt,
            sig=self.sig,
            user=self.user,
            password=self.password,
            auth_token=self.auth_token,
            name=self.name,
        )


def decode_info(document: bytes) -> LeafInfo:
    """Read the argument of INFO.

    Raises:
        ValueError: No JSON object, or a known key has a value of the wrong type.
    """
    return decode_lenient(document, LeafInfo, "INFO")


def decode_connect(document: bytes) -> LeafConnect:
    """Read the argument of CONNECT.

    Raises:
        ValueError: As :func:`decode_info`.
    """
    return decode_lenient(document, LeafConnect, "CONNECT")


def encode_connect(connect: LeafConnect) -> bytes:
    """Write the CONNECT line."""
    return b"CONNECT " + msgspec.json.encode(connect) + b"\r\n"
