"""The monitoring documents of nats-server 2.15 as Structs, with the names and the order of its JSON keys.

The broker writes with the same Structs that the reader reads with, so each key is in one place.
"""

from natsctl.monitoring.documents.accountz import (
    AccountInfo,
    AccountStat,
    Accountz,
    Accstatz,
    DataStats,
    ExtExport,
    ExtImport,
    MapDest,
    MsgBytes,
)
from natsctl.monitoring.documents.codec import decode, encode
from natsctl.monitoring.documents.connz import ConnInfo, Connz, ProxyInfo, TLSPeerCert
from natsctl.monitoring.documents.fields import Document, Number
from natsctl.monitoring.documents.gatewayz import AccountGatewayz, Gatewayz, RemoteGatewayz
from natsctl.monitoring.documents.healthz import Healthz, HealthzError
from natsctl.monitoring.documents.jsz import JetStreamAPIStats, JetStreamConfig, JetStreamStats, Jsz
from natsctl.monitoring.documents.leafz import LeafInfo, Leafz
from natsctl.monitoring.documents.routez import RouteInfo, Routez, SubjectPermission
from natsctl.monitoring.documents.subsz import SubDetail, SublistStats, Subsz
from natsctl.monitoring.documents.varz import (
    ClusterOptsVarz,
    DenyRules,
    DiskIOWaitStats,
    GatewayOptsVarz,
    JetStreamVarz,
    LeafNodeOptsVarz,
    MQTTOptsVarz,
    NatsctlVarz,
    PerKindStats,
    ProxiesOptsVarz,
    ProxyOptsVarz,
    RemoteGatewayOptsVarz,
    RemoteLeafOptsVarz,
    Varz,
    WebsocketOptsVarz,
)

__all__ = [
    "AccountGatewayz",
    "AccountInfo",
    "AccountStat",
    "Accountz",
    "Accstatz",
    "ClusterOptsVarz",
    "ConnInfo",
    "Connz",
    "DataStats",
    "DenyRules",
    "DiskIOWaitStats",
    "Document",
    "ExtExport",
    "ExtImport",
    "GatewayOptsVarz",
    "Gatewayz",
    "Healthz",
    "HealthzError",
    "JetStreamAPIStats",
    "JetStreamConfig",
    "JetStreamStats",
    "JetStreamVarz",
    "Jsz",
    "LeafInfo",
    "LeafNodeOptsVarz",
    "Leafz",
    "MQTTOptsVarz",
    "MapDest",
    "MsgBytes",
    "NatsctlVarz",
    "Number",
    "PerKindStats",
    "ProxiesOptsVarz",
    "ProxyInfo",
    "ProxyOptsVarz",
    "RemoteGatewayOptsVarz",
    "RemoteGatewayz",
    "RemoteLeafOptsVarz",
    "RouteInfo",
    "Routez",
    "SubDetail",
    "SubjectPermission",
    "SublistStats",
    "Subsz",
    "TLSPeerCert",
    "Varz",
    "WebsocketOptsVarz",
    "decode",
    "encode",
]
