"""Renewing certificates in place: the old ones are kept under another name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from natsctl.errors import NatsctlError, UsageError
from natsctl.ops.certs_inventory import ca_near, find, is_config, key_beside, tls_blocks
from natsctl.pki.advice import Finding, advise
from natsctl.pki.authority import Authority
from natsctl.pki.certificates import (
    Certificate,
    Description,
    certificate_pem,
    describe,
    is_authority,
    load_certificates,
)
from natsctl.pki.files import NewFile, read_file, read_key, write_files
from natsctl.pki.keys import key_pem, load_key, policy_of
from natsctl.pki.renewal import renew
from natsctl.pki.verify import find_issuer

__all__ = ["Renewal", "RenewalPlan", "renew_all"]


@dataclass(frozen=True, slots=True)
class RenewalPlan:
    """How certificates are renewed."""

    now: datetime
    ca: Path | None = None
    """Who signs; ``ca.pem`` and ``ca-key.pem`` beside a certificate, or in the directory above, otherwise."""
    ca_key: Path | None = None
    within: timedelta | None = None
    """Renew only what ends so soon."""
    expiry: timedelta | None = None
    """How long they live; as long as before without."""
    reuse_key: bool = False
    """Keep the keys, for peers that have pinned them."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """A certificate that was renewed."""

    path: Path
    description: Description
    kept: tuple[Path, ...]
    """Where the old certificate and, if it was replaced, the old key are now."""
    doubts: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Target:
    path: Path
    chain: tuple[Certificate, ...]
    key_path: Path


def renew_all(paths: Sequence[Path], plan: RenewalPlan) -> Iterator[Renewal]:
    """Renew certificates one after the other, each with its key in one step.

    In directories and configurations that means those of servers, clients and routes; a CA is renewed when its own file
    is named, with the same key, so that what it has signed stays valid.

    Raises:
        UsageError: There is nothing to renew.
        NatsctlError: A file cannot be read or written, or the CA is missing, or is not the one that signed.
    """
    targets = {target.path.resolve(): target for path in paths for target in _targets(path)}
    if not targets:
        raise UsageError("there is no certificate with its key to renew", hint="keys are looked for in NAME-key.pem")
    for target in targets.values():
        left = target.chain[0].not_valid_after_utc - plan.now
        if plan.within is None or left <= plan.within:
            yield _renew(target, plan)


def _targets(path: Path) -> Iterator[_Target]:
    if is_config(path):
        for block in tls_blocks(path):
            for certificate, key in block.pairs:
                yield _Target(certificate, tuple(load_certificates(read_file(certificate), str(certificate))), key)
        return
    is_named = not path.is_dir()
    for found in find([path]):
        key_path = key_beside(found.path)
        if key_path and (is_named or not is_authority(found.chain[0])):
            yield _Target(found.path, found.chain, key_path)


def _renew(target: _Target, plan: RenewalPlan) -> Renewal:
    for path in (target.path, target.key_path):
        if path.is_symlink():
            raise NatsctlError(f"{path} is a symbolic link", hint=f"renew {path.resolve()}, where it leads")
    old, old_key = target.chain[0], load_key(read_key(target.key_path), str(target.key_path))
    is_root = is_authority(old) and old.subject == old.issuer
    if is_root:
        authority = Authority(old, old_key).renewed(plan.now)
        new, key = authority.certificate, old_key
    else:
        authority = _authority(target, plan)
        key = old_key if plan.reuse_key else policy_of(old.public_key()).generate()
        new = renew(old, authority, key.public_key(), plan.now, plan.expiry)
    pem = b"".join(certificate_pem(certificate) for certificate in (new, *target.chain[1:]))
    files = [NewFile(target.path, pem)]
    if key is not old_key:
        files.append(NewFile(target.key_path, key_pem(key), is_secret=True))
    kept = [_kept(file, plan.now) for file in files]
    write_files(kept)
    write_files(files, force=True)
    described = describe(new)
    doubts = advise(described, describe(authority.certificate), described.names, now=plan.now)
    return Renewal(target.path, described, tuple(file.path for file in kept), tuple(doubts))


def _authority(target: _Target, plan: RenewalPlan) -> Authority:
    path = plan.ca or ca_near(target.path, with_key=True)
    if path is None:
        hint = "name them with --ca and --ca-key"
        raise NatsctlError(f"{target.path}: there is no ca.pem with a ca-key.pem beside it or above", hint=hint)
    key_path = plan.ca_key or key_beside(path)
    if key_path is None:
        raise NatsctlError(f"{path}: its key is not beside it", hint="name it with --ca-key")
    authority = Authority.load(read_file(path), read_key(key_path), names=(str(path), str(key_path)))
    if plan.ca is None and find_issuer(target.chain[0], [authority.certificate]) is None:
        raise NatsctlError(f"{path} did not sign {target.path}", hint="name the CA with --ca if that is meant")
    return authority


def _kept(file: NewFile, now: datetime) -> NewFile:
    path = file.path.with_name(f"{file.path.name}.{now:%Y%m%dT%H%M%SZ}.old")
    return NewFile(path, read_file(file.path), file.is_secret)
