"""A certificate and its key, as files."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

_KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgv8IoeMicxpn+wTPD
QIWFGPpljr4xkIj13l+QRBs7Hs2hRANCAARnzb4V1hZz4g19bXM+ikSR1rp/alxh
UKL/Cqti5qPDmRhmJxWr5KSqNKA67eVG09VF3Qrw1Rl01WW06pvHFWCw
-----END PRIVATE KEY-----
"""
_CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIUBgNpCTwRJO+i7hK26c576NoyszwwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzIxMDAzOFoYDzIxMjYxMDMw
MjEwMDM4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARnzb4V1hZz4g19bXM+ikSR1rp/alxhUKL/Cqti5qPDmRhmJxWr5KSq
NKA67eVG09VF3Qrw1Rl01WW06pvHFWCwo1MwUTAdBgNVHQ4EFgQUDh/mDdvopn/J
82hblgXe/jfy37MwHwYDVR0jBBgwFoAUDh/mDdvopn/J82hblgXe/jfy37MwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEArBqbcdqJdlbpQQOnnsGh
qbkzGMeFg+Xzzp5IUg7yzhQCIF5b/xR78YlKDBv4XMqmwB8HBA603i5q6FHm0uZK
osAU
-----END CERTIFICATE-----
"""


class Certificate(NamedTuple):
    """Paths of a self-signed certificate that nobody else uses, and of its key."""

    certificate: Path
    key: Path


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """Write a certificate and its key."""
    files = Certificate(tmp_path / "cert.pem", tmp_path / "key.pem")
    files.certificate.write_text(_CERTIFICATE)
    files.key.write_text(_KEY)
    return files
