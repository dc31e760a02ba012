"""Which certificates there are: in files and directories, in a configuration's ``tls`` blocks, and on servers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from natsctl.config import parse
from natsctl.config.document import Plain
from natsctl.errors import NatsctlError
from natsctl.ops.probe import Address, shown_certificates
from natsctl.pki.certificates import Certificate, Description, describe, load_certificates
from natsctl.pki.files import read_file

__all__ = ["MAX_FILES", "Found", "TlsBlock", "ca_near", "find", "is_config", "key_beside", "tls_blocks"]

MAX_FILES = 10_000
"""A directory with more is not one of certificates."""

_SUFFIXES = (".pem", ".crt", ".cer")
_CONFIG_SUFFIXES = (".conf", ".cfg")


@dataclass(frozen=True, slots=True)
class Found:
    """A file with certificates, or a server that shows them."""

    path: Path
    """Its address, for a server."""
    chain: tuple[Certificate, ...]
    """The certificate, then those sent with it; or a bundle of CAs."""
    part: str = ""
    """Where a configuration names it: ``cluster.tls``; empty for one found otherwise."""

    @property
    def description(self) -> Description:
        """What the first certificate says."""
        return describe(self.chain[0])

    @property
    def descriptions(self) -> list[Description]:
        """What all of them say."""
        return [describe(certificate) for certificate in self.chain]


@dataclass(frozen=True, slots=True)
class TlsBlock:
    """A ``tls`` block of a configuration."""

    part: str
    """Dotted path of the block: ``tls``, ``cluster.tls``."""
    pairs: tuple[tuple[Path, Path], ...]
    """Certificates and their keys."""
    ca: Path | None
    routes: tuple[str, ...] = ()
    """URLs of the routes beside the block."""

    @property
    def purpose(self) -> str:
        """What its certificates are used for, a word of `natsctl.pki.verify.PURPOSES`."""
        return "route" if self.part.startswith(("cluster", "gateway")) else "server"


def find(paths: Sequence[Path | Address]) -> Iterator[Found]:
    """Find the certificates of files, directories, configurations and running servers.

    In a directory, files without a certificate are passed over.

    Raises:
        NatsctlError: A file cannot be read, or has nothing to do with certificates.
        LinkError: A server does not answer, or shows none.
    """
    for path in paths:
        if isinstance(path, Address):
            yield Found(Path(str(path)), shown_certificates(path))
        elif path.is_dir():
            yield from _in_directory(path)
        elif is_config(path):
            yield from _in_config(path)
        else:
            yield _load(path)


def is_config(path: Path) -> bool:
    """Whether a file is named like a configuration of a server."""
    return path.suffix in _CONFIG_SUFFIXES


def tls_blocks(config: Path) -> list[TlsBlock]:
    """Read the ``tls`` blocks of a configuration; files in it are relative to the working directory, as for a server.

    Raises:
        ConfigError: The file is none, or there is no such block in it.
    """
    try:
        text = read_file(config).decode()
    except UnicodeDecodeError:
        raise NatsctlError(f"{config}: not UTF-8") from None
    blocks = list(_blocks(parse(text, file=str(config)), ""))
    if not blocks:
        raise NatsctlError(f"{config}: no tls block names a certificate")
    return blocks


def key_beside(certificate: Path) -> Path | None:
    """Give the file with the key of a certificate, by cfssl's names: ``server-key.pem`` for ``server.pem``."""
    path = certificate.with_name(f"{certificate.stem}-key{certificate.suffix}")
    return path if path.is_file() else None


def ca_near(certificate: Path, *, with_key: bool = False) -> Path | None:
    """Give ``ca.pem`` in the directory of a certificate, or in the one above it.

    Args:
        certificate: Whose CA is looked for.
        with_key: Whether ``ca-key.pem`` has to be there too.
    """
    directory = certificate.absolute().parent
    candidates = [place / "ca.pem" for place in (directory, directory.parent)]
    return next((path for path in candidates if path.is_file() and (key_beside(path) or not with_key)), None)


def _load(path: Path, part: str = "") -> Found:
    return Found(path, tuple(load_certificates(read_file(path), str(path))), part)


def _in_directory(directory: Path) -> Iterator[Found]:
    n_files = 0
    for place, directories, names in os.walk(directory):
        directories.sort()
        for name in sorted(names):
            path = Path(place, name)
            if path.suffix not in _SUFFIXES or not path.is_file():
                continue
            n_files += 1
            if n_files > MAX_FILES:
                raise NatsctlError(f"{directory}: more than the limit of {MAX_FILES} files")
            data = read_file(path)
            if b"-----BEGIN CERTIFICATE-----" in data or data.startswith(b"\x30"):
                yield Found(path, tuple(load_certificates(data, str(path))))


def _in_config(config: Path) -> Iterator[Found]:
    for block in tls_blocks(config):
        named = [certificate for certificate, _ in block.pairs] + ([block.ca] if block.ca else [])
        yield from (_load(path, block.part) for path in named)


def _blocks(value: Plain, path: str) -> Iterator[TlsBlock]:
    """Walk a configuration for whatever names certificates, at any depth."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _blocks(item, f"{path}[{index}]")
    if not isinstance(value, dict):
        return
    keys = {key.lower(): item for key, item in value.items()}
    tls = keys.pop("tls", None)
    if isinstance(tls, dict):
        yield from _block(tls, f"{path}.tls".lstrip("."), keys.get("routes"))
    for key, item in keys.items():
        yield from _blocks(item, f"{path}.{key}".lstrip("."))


def _block(tls: dict[str, Plain], part: str, routes: Plain | None) -> Iterator[TlsBlock]:
    keys = {key.lower(): item for key, item in tls.items()}
    several = keys.get("certs", keys.get("certificates", []))
    entries = [keys, *(item for item in several if isinstance(item, dict))] if isinstance(several, list) else [keys]
    pairs = [
        (Path(str(entry["cert_file"])), Path(str(entry.get("key_file", ""))))
        for entry in entries
        if entry.get("cert_file")
    ]
    ca = keys.get("ca_file")
    urls = tuple(str(route) for route in routes) if isinstance(routes, list) else ()
    if pairs or ca:
        yield TlsBlock(part, tuple(pairs), Path(ca) if isinstance(ca, str) else None, urls)
