"""Everything one server with TLS needs: a CA, certificates for both sides and for routes, and a configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from natsctl.ops.certs_config import tls_block
from natsctl.ops.certs_issue import LOOPBACK, Issued, Issuer, Terms, check_host, host_name
from natsctl.pki.files import NewFile, write_files

__all__ = ["Kit", "make_kit"]


@dataclass(frozen=True, slots=True)
class Kit:
    """What was made, and is on the disk."""

    directory: Path
    issued: tuple[Issued, ...]
    """CA, server, client and route."""
    config: NewFile

    @property
    def files(self) -> list[NewFile]:
        """All files, in the order in which one reads of them."""
        return [*(file for pair in self.issued for file in (pair.certificate, pair.key)), self.config]


def make_kit(directory: Path, sans: Sequence[str], terms: Terms, *, force: bool = False) -> Kit:
    """Make a CA and certificates in a directory, and a ``nats.conf`` that uses them.

    Args:
        directory: Where the files go; it is made where it is missing.
        sans: Names and addresses of the server, besides the name of this machine and those of its loopback.
        terms: How the certificates are made.
        force: Replace files that are there.

    Raises:
        UsageError: A file is there already, or a name cannot be one.
        NatsctlError: A file cannot be written.
    """
    hosts = [*map(check_host, sans), *filter(None, [host_name()]), *LOOPBACK]
    issuer = Issuer(terms)
    issued = (
        issuer.authority(directory),
        issuer.issue("server", directory, hosts[0], hosts),
        issuer.issue("client", directory, "client"),
        issuer.issue("route", directory, "route", hosts),
    )
    config = NewFile(directory / "nats.conf", _config(directory.absolute()).encode())
    kit = Kit(directory, issued, config)
    write_files(kit.files, force=force)
    return kit


def _config(directory: Path) -> str:
    def tls(part: str) -> str:
        return tls_block(directory / f"{part}.pem", directory / f"{part}-key.pem", directory / "ca.pem")

    return (
        "# Clients have to show a certificate of the CA, for example client.pem.\n"
        "port: 4222\n\n"
        "# Monitoring over HTTPS, for programs on this machine: nobody is asked for a certificate there.\n"
        'https: "127.0.0.1:8222"\n\n'
        f"{tls('server')}\n\n"
        "# The tls block of a cluster, whose routes have a certificate of their own:\n"
        + "".join(f"# {line}\n" for line in tls("route").splitlines())
    )
