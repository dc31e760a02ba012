"""What the pages are made from: the broker, its process, and the time."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from datetime import datetime
from typing import Protocol

import psutil

from natsctl.broker.auth import GLOBAL_ACCOUNT, SYSTEM_ACCOUNT, Authenticator
from natsctl.broker.identity import Identity
from natsctl.broker.leafnodes import Leafnodes
from natsctl.broker.logs import Logger
from natsctl.broker.registry import Registry
from natsctl.broker.routes import Mesh
from natsctl.config import Options
from natsctl.config.options import TlsOptions
from natsctl.engine.api import Engine
from natsctl.monitoring.times import format_time
from natsctl.units import format_duration

__all__ = ["MonitoredBroker", "Process", "Source", "format_rtt", "to_ns", "whole_or_float"]

_SAMPLE_S = 1.0
"""A share of the processor over less time says nothing."""


class MonitoredBroker(Protocol):
    """What monitoring sees of the broker."""

    options: Options
    log: Logger
    registry: Registry
    engine: Engine
    identity: Identity
    authenticator: Authenticator
    started_at: datetime
    config_loaded_at: datetime
    slow_consumers: Counter[str]
    stale_connections: Counter[str]
    mesh: Mesh
    leafnodes: Leafnodes


class Source:
    """A broker with its clock and its process.

    Attributes:
        http_port: Where the pages are served; 0 when it is over TLS.
        https_port: Where they are served over TLS, or 0.
        requests: How often each page was asked for, by path.
    """

    def __init__(self, broker: MonitoredBroker, http_host: str, *, http_port: int = 0, https_port: int = 0) -> None:
        self.broker = broker
        self.http_host = http_host
        self.http_port = http_port
        self.https_port = https_port
        self._expiries: dict[str, tuple[TlsOptions, str]] = {}
        self.requests: dict[str, int] = {}
        self.process = Process()
        self._loop_epoch_ns = time.time_ns() - round(asyncio.get_running_loop().time() * 1e9)

    def certificate_expiry(self, port: str, tls: TlsOptions | None) -> str:
        """When the certificate of a port ends, as pages print it; empty without TLS.

        Args:
            port: For whom it is, by name.
            tls: How it is encrypted now.
        """
        if tls is None:
            return ""
        known = self._expiries.get(port)
        if known is None or known[0] is not tls:  # the start, or a reload
            known = self._expiries[port] = (tls, _expiry(tls))
        return known[1]

    @property
    def server_id(self) -> str:
        """The broker's id."""
        return self.broker.identity.server_id

    @property
    def system_account(self) -> str:
        """Name of the system account, empty without one."""
        options = self.broker.options
        return options.system_account or ("" if options.no_system_account else SYSTEM_ACCOUNT)

    @property
    def accounts(self) -> list[str]:
        """Names of all accounts."""
        configured = (account.name for account in self.broker.options.accounts)
        return [name for name in dict.fromkeys((GLOBAL_ACCOUNT, self.system_account, *configured)) if name]

    def now(self) -> str:
        """The time, as pages print it."""
        return format_time(time.time_ns())

    def wall_ns(self, loop_time: float) -> int:
        """Turn a time on the loop's clock into nanoseconds since 1970."""
        return self._loop_epoch_ns + round(loop_time * 1e9)

    @property
    def started(self) -> str:
        """When the broker started, as pages print it."""
        return format_time(to_ns(self.broker.started_at))


def _expiry(tls: TlsOptions) -> str:
    from natsctl.pki.certificates import load_certificates  # with a library that only TLS needs
    from natsctl.pki.files import read_file

    files = [pair.cert_file for pair in tls.certificates]
    return format_time(to_ns(min(load_certificates(read_file(file), file)[0].not_valid_after_utc for file in files)))


class Process:
    """This process as the system sees it."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent()  # the first call only sets the mark
        self._sampled_at = time.monotonic()
        self._cpu_percent = 0.0
        self.cores = os.cpu_count() or 1

    @property
    def memory_bytes(self) -> int:
        """Resident memory."""
        n_bytes: int = self._process.memory_info().rss
        return n_bytes

    @property
    def cpu_s(self) -> float:
        """Processor time used so far."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    @property
    def cpu_percent(self) -> float:
        """Share of one processor used lately; measured anew at most once a second."""
        now = time.monotonic()
        if now - self._sampled_at >= _SAMPLE_S:
            self._sampled_at = now
            self._cpu_percent = self._process.cpu_percent()
        return self._cpu_percent


def to_ns(moment: datetime) -> int:
    """Turn a datetime into nanoseconds since 1970."""
    return round(moment.timestamp() * 1e6) * 1000


def format_rtt(seconds: float) -> str:
    """Write a round trip as pages print it: below a millisecond in whole microseconds."""
    return format_duration(int(seconds * 1e6) / 1e6 if seconds < 1e-3 else seconds)


def whole_or_float(number: float) -> int | float:
    """Give a whole number as an integer: JSON has ``2`` and not ``2.0``."""
    return int(number) if number.is_integer() else number
