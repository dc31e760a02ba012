"""Where the native engine was not built, there are no allocations of its own to fail."""

from __future__ import annotations

from tests.support.rig import ENGINES

collect_ignore = [] if "native" in ENGINES else ["test_allocations.py"]
