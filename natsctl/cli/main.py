"""The ``natsctl`` command: a tree whose branches are imported only when they are used."""

from __future__ import annotations

import sys
from importlib import import_module

from natsctl import __version__

__all__ = ["COMMANDS", "main", "print_version"]

COMMANDS = {
    "server": "Run the embedded broker.",
    "pub": "Publish messages.",
    "sub": "Receive messages.",
    "request": "Send a request and show the replies.",
    "reply": "Answer requests.",
    "rtt": "Measure the round trip to each server.",
    "bench": "Measure what a server takes and delivers.",
    "top": "Watch servers: traffic, connections, slow consumers.",
    "varz": "Read who a server is, what it did, and what it allows.",
    "connz": "Read who is connected, or was.",
    "routez": "Read the routes to the other servers of a cluster.",
    "leafz": "Read the leafnode connections.",
    "subsz": "Read what is subscribed to, and who would receive a message.",
    "accountz": "Read which accounts a server has.",
    "healthz": "Ask whether a server may be sent work.",
    "cluster": "Run a cluster on this machine, and see how any cluster is.",
    "check": "Check servers, clusters and certificates for monitoring.",
    "certs": "Make, check and renew certificates.",
    "context": "Manage connection contexts.",
    "demo": "See the broker and the messaging commands at work.",
    "version": "Show the versions of natsctl and its parts.",
}
"""Command name to summary, in the order of ``natsctl --help``; the module ``natsctl.cli.<name>`` holds its ``app``."""


def main() -> None:
    """Run the command line; the process exits with the command's exit code."""
    if sys.argv[1:] in (["--version"], ["-v"]):  # answered before anything heavy is imported
        print_version()
    else:
        import_module("natsctl.cli.tree").run(sys.argv[1:])


def print_version() -> None:
    """Write the version line."""
    print(f"natsctl {__version__}")
