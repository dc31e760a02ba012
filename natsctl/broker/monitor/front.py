"""``/``: links to the pages."""

from __future__ import annotations

from html import escape

from natsctl import __version__

__all__ = ["front_page"]

_LINKS = (
    ("varz", "Server"),
    ("connz", "Connections"),
    ("connz?state=closed", "Closed connections"),
    ("subsz", "Subscriptions"),
    ("accountz", "Accounts"),
    ("accstatz", "Account statistics"),
    ("routez", "Routes"),
    ("leafz", "Leafnodes"),
    ("gatewayz", "Gateways"),
    ("jsz", "JetStream"),
    ("healthz", "Health"),
    ("metrics", "Prometheus metrics"),
    ("stacksz", "Stacks"),
    ("debug/vars", "Interpreter"),
)
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{name}</title>
<style>body {{ font-family: sans-serif; margin: 2em }} a {{ display: block; margin: .4em 0 }}</style>
</head>
<body>
<h1>{name}</h1>
<p>natsctl {version}</p>
{links}
</body>
</html>
"""


def front_page(server_name: str, base_path: str) -> str:
    """Write the page; its links are relative, so that they hold behind a proxy."""
    last = base_path.rpartition("/")[2]  # a browser looks for "./x" beside the page, not below it
    here = f"./{last}/" if last else "./"
    links = "\n".join(f'<a href="{escape(here + path)}">{title}</a>' for path, title in _LINKS)
    return _PAGE.format(name=escape(server_name), version=__version__, links=links)
