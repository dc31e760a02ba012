"""``natsctl certs json``: what cfssl's commands write, as files; cfssljson's part."""

from __future__ import annotations

import base64
import binascii
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from natsctl.cli.certs.common import read_input
from natsctl.cli.goflags import GoCommand
from natsctl.errors import NatsctlError, UsageError
from natsctl.pki.documents import parse
from natsctl.pki.files import NewFile, write_files

__all__ = ["app"]

app = typer.Typer(add_completion=False)

_PARTS = (
    (("cert", "certificate"), ".pem"),
    (("key", "private_key"), "-key.pem"),
    (("encrypted_key",), "-key.enc"),
    (("csr", "certificate_request"), ".csr"),
    (("ocspResponse",), "-response.der"),
)
"""Members, the first of which that is there counts, and the end of their file's name."""
_SECRET = ("-key.pem", "-key.enc")
_BASE64 = (".der",)


@app.command("json", cls=GoCommand, options_metavar="[FLAGS]")
def split(
    name: Annotated[str, typer.Argument(help="Begin of the files' names.", metavar="NAME")] = "cert",
    dash: Annotated[
        str, typer.Argument(help="May be -, which is stdin; nothing else.", hidden=True, metavar="-")
    ] = "-",
    bare: Annotated[bool, typer.Option("--bare", help="The JSON is not wrapped in a response of cfssl's API.")] = False,
    file: Annotated[str, typer.Option("-f", help="File with the JSON; - is stdin.", metavar="FILE")] = "-",
    to_stdout: Annotated[bool, typer.Option("--stdout", help="Write to stdout and make no files.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Make files of the JSON that cfssl's commands write, as cfssljson does.

    They are NAME.pem, NAME-key.pem (only its owner can read it) and NAME.csr. Unlike cfssljson it replaces no file
    unless told to.
    """
    if dash != "-":
        raise UsageError(f'unexpected argument "{dash}"')
    data, source = read_input(file)
    members, _ = parse(data, source)
    if not isinstance(members, dict):
        raise NatsctlError(f"{source}: not a JSON object")
    if not bare:
        members = _unwrap(members, source)
    found = _contents(members, source)
    if not found:
        raise NatsctlError(f"{source}: neither a certificate nor a key nor a request in it")
    if to_stdout:
        for _, content in found:
            print(content)
        sys.stdout.flush()
        return
    files = [NewFile(Path(name + end), _data(end, content), end in _SECRET) for end, content in found]
    write_files(files, force=force)


def _unwrap(response: dict[str, Any], source: str) -> dict[str, Any]:
    """Take the result out of a response of cfssl's API."""
    if response.get("success") is True and isinstance(response.get("result"), dict):
        result: dict[str, Any] = response["result"]
        return result
    errors = response.get("errors")
    messages = (
        [str(error.get("message")) for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    )
    reason = ", ".join(messages) or "no successful response of cfssl's API"
    hint = "-bare reads what gencert, genkey, sign and selfsign write" if "success" not in response else None
    raise NatsctlError(f"{source}: {reason}", hint=hint)


def _contents(members: dict[str, Any], source: str) -> list[tuple[str, str]]:
    found = []
    for names, end in _PARTS:
        content = next((members[name] for name in names if members.get(name)), "")
        if not isinstance(content, str):
            raise NatsctlError(f"{source}: {names[0]} is no string")
        if content:
            found.append((end, content))
    return [*found, *_bundle(members, source)]


def _bundle(members: dict[str, Any], source: str) -> list[tuple[str, str]]:
    result = members.get("result")
    bundle = result.get("bundle") if isinstance(result, dict) else None
    if bundle is None:
        return []
    parts = [bundle.get(key) for key in ("bundle", "root")] if isinstance(bundle, dict) else []
    chain, root = parts or (None, None)
    if not (isinstance(chain, str) and isinstance(root, str)):
        raise NatsctlError(f"{source}: a bundle without its certificates or its root")
    return [("-bundle.pem", f"{chain}\n{root}"), ("-root.pem", root)]


def _data(end: str, content: str) -> bytes:
    if not end.endswith(_BASE64):
        return content.encode()
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        raise NatsctlError("ocspResponse is not base64") from None
