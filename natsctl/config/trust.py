"""Reads operator mode (JWT), OCSP and trusted proxies.

Source: nats-server ``server/opts.go``; nothing here is kept yet.
"""

from __future__ import annotations

import base64
import json
import os
import re

from natsctl.config.document import Node
from natsctl.config.readers import (
    OPERATOR,
    boolean,
    choice,
    duration_text,
    each,
    integer,
    nkey,
    seconds,
    string,
    string_or_strings,
    table,
)
from natsctl.config.schema import Block, Key, Reader, RefusedError, Report, Section
from natsctl.config.urls import is_url
from natsctl.config.words import kind, quoted
from natsctl.protocol.nkey import decode_public

__all__ = ["ocsp", "ocsp_cache", "operators", "proxies", "resolver", "resolver_preload", "trusted_keys"]

_URL_RESOLVER = re.compile(r"URL(?:\(\s*\"?([^\s\"]*)\"?\s*\))?", re.IGNORECASE)
_MEMORY_RESOLVER = re.compile(r"MEM(?:ORY)?", re.IGNORECASE)
_JWT_LIMIT_BYTES = 1 << 20


# --- operator mode ---------------------------------------------------------------------------------------------------


def operators(node: Node, report: Report) -> list[str]:
    """Read operator JWTs, each inline or the name of a file that holds it."""
    found = string_or_strings(node, report)
    for text in found:
        jwt = text
        if not text.startswith("eyJ"):
            try:
                with open(text, encoding="ascii", errors="replace") as file:
                    jwt = file.read(_JWT_LIMIT_BYTES)
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or "not a file name"
                raise RefusedError(f"must be an operator JWT or its file, {quoted(text)}: {reason.lower()}") from None
        if _jwt_type(jwt) != "operator":
            raise RefusedError("must be a JWT of an operator")
    return found


def _jwt_type(text: str) -> str:
    """Name the kind of a JWT, from its claims alone; empty when it is none."""
    found = re.search(r"[\w-]+\.([\w-]+)\.[\w-]+", text)
    if found is None:
        return ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)))
        type_ = claims["nats"].get("type") or claims.get("type")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    return type_ if isinstance(type_, str) else ""


def resolver_preload(node: Node, report: Report) -> dict[str, str]:
    """Read account JWTs by account."""

    def account_jwt(entry: Node, _: Report) -> str:
        if not isinstance(entry.value, str) or _jwt_type(entry.value) != "account":
            raise RefusedError("must be a JWT of an account")
        return entry.value

    found: dict[str, str] = table(account_jwt)(node, report)
    return found


_RESOLVER = Block(
    Key("type", choice("full", "cache", any_case=True)),
    Key("dir", string),
    Key("allow_delete", boolean),
    Key("hard_delete", boolean),
    Key("limit", integer),
    Key("ttl", duration_text),
    Key("interval", duration_text),
    Key("timeout", duration_text),
)


def resolver(node: Node, report: Report) -> object:
    """Read where account JWTs come from: memory, a URL, or a directory."""
    if isinstance(node.value, dict):
        return _directory_resolver(node, report)
    text = string(node, report)
    if _MEMORY_RESOLVER.search(text):
        return text
    url = _URL_RESOLVER.search(text)
    if url is None:
        raise RefusedError("must be MEMORY, URL(...) or a map with a type and a dir")
    if not is_url(url[1] or ""):
        raise RefusedError(f"must hold a URL, found {quoted(url[1])}")
    return text


def _directory_resolver(node: Node, report: Report) -> Section:
    section = _RESOLVER(node, report)
    if "type" not in section or not section.get("dir"):
        raise RefusedError("must have a type (full or cache) and a dir")
    if os.path.exists(section.get("dir")) and not os.path.isdir(section.get("dir")):
        raise RefusedError(f"must have a dir that is a directory, found {quoted(section.get('dir'))}")
    is_full = section.get("type") == "full"
    for name in ("ttl",) if is_full else ("interval", "allow_delete", "hard_delete"):
        if section.get(name):
            report.error(section.place_of(name), f"a resolver of type {section.get('type')} takes no {name}")
    if is_full and section.get("hard_delete") and not section.get("allow_delete"):
        report.error(section.place_of("hard_delete"), "hard_delete needs allow_delete")
    return section


_operator_key = nkey(OPERATOR, "an operator")


def trusted_keys(node: Node, report: Report) -> list[str]:
    """Read the public keys of trusted operators."""
    items = node.value if isinstance(node.value, list) else [node]
    return [str(_operator_key(item, report)) for item in items]


# --- OCSP ------------------------------------------------------------------------------------------------------------

_OCSP = Block(Key("mode", choice("always", "must", "never", "auto", any_case=True)), Key("url", string))
_OCSP_CACHE = Block(
    Key("type", choice("local", "none", any_case=True)),
    Key("local_store", string),
    Key("preserve_revoked", boolean),
    Key("save_interval", seconds),
)


def _switch_or(block: Block) -> Reader:
    def read(node: Node, report: Report) -> object:
        return node.value if isinstance(node.value, bool) else block(node, report)

    return read


ocsp = _switch_or(_OCSP)
"""Reads ``ocsp``: a boolean or a block."""

ocsp_cache = _switch_or(_OCSP_CACHE)
"""Reads ``ocsp_cache``: a boolean or a block."""


# --- proxies ---------------------------------------------------------------------------------------------------------


def _public_key(node: Node, report: Report) -> str:
    text = string(node, report)
    for prefix in range(0, 256, 8):
        try:
            decode_public(prefix, text)
        except ValueError:
            continue
        return text
    raise RefusedError(f"must be a public nkey, found {kind(node.value)} that is none")


proxies = Block(Key("trusted", each(Block(Key("key", _public_key)), "proxies")))
"""Reads ``proxies``."""
