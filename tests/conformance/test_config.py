"""The same text, tested by nats-server and by us: valid or not, and with which digest."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from natsctl.config import load
from natsctl.errors import ConfigError

ENVIRONMENT = {"T_SIZE": "4KB", "T_WORD": "s3cret", "T_MAP": "{publish: a}", "T_BAD": "a b", "T_EMPTY": ""}
NKEY = "UCK5N7N66OBOINFXAYC2ACJQYFSOD4VYNU6APEJTAVFZB2SVHLKGEW7L"
ISSUER = "ABJHLOVMPA4CI6R5KLNGOB4GSLNIY7IOUPAJC4YFNDLQVIOBYQGUWVLA"


def official(binary: str, path: Path) -> str | None:
    """The digest nats-server shows, or None when it refuses the file."""
    result = subprocess.run(
        [binary, "-t", "-c", str(path)],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=30,
        cwd=path.parent,
        env={**os.environ, **ENVIRONMENT},
        check=False,
    )
    digest = re.search(r"is valid \((sha256:\w+)\)", result.stdout + result.stderr)
    assert (result.returncode == 0) == bool(digest), result.stderr
    return digest[1] if digest else None


def ours(path: Path) -> str | None:
    """The digest we show; a warning fails a configuration test."""
    try:
        loaded = load(str(path), {**os.environ, **ENVIRONMENT})
    except ConfigError:
        return None
    return None if loaded.warnings else loaded.digest


GRAMMAR = r"""
port: 4222
port = 4222
port 4222
PORT: 4222
"port": 4222
'port': 4222
port: 4222, ping_max: 5; debug: no
port: 4222 # comment
port: 4222 // comment
port: 4222 /
port: 4222 }
{port: 4222}
{"port": 4222, "debug": false,}
{{port: 4222} }
{ port: 4222¶} # end
{{ port: 4222¶}¶# c¶}¶# d
{ port: 4222¶
{ port: 4222
port: 4222¶}
}
{}
port
port:
port: 4222¶debug
: 5
port == 4222
port: 007
port: -1
port: 1_000
port: 0x10
port: 1.5
port: 1.5k
port: 1 k
port: +1
max_pending: 1k
max_pending: 2MiB
max_pending: 3gb
max_pending: 1t
max_pending: 9223372036854775807
max_pending: 9223372036854775808
server_name: abc
server_name: a#b
server_name: a//b
server_name: "a\tb\x41\"\\"
server_name: "a\qb"
server_name: 'a\tb'
server_name: a'b
server_name: 'ab
server_name: "ab
server_name: "two¶lines"
server_name: <&>
server_name: "\x08\x0c\x0b\x7f"
server_name: é✓𝄞
server_name: 12ab
server_name: 12-ab
server_name: 1k5
server_name: 1kb-5
server_name: -1k1
server_name: 1.2.3
server_name: 1.2.3-4:5
server_name: 1.2.3/4
server_name: .5
server_name: -x
server_name: (¶any text¶)
server_name: (¶any text¶)¶port: 5
server_name: (¶any text )
server_name: (x¶)
server_name: true
server_name: "true"
server_name: $T_WORD
server_name: "$T_WORD"
server_name: $T_EMPTY
server_name: $T_BAD
server_name: $T_NOT_THERE
server_name:¶
server_name ¶ abc
server_name: ,
server_name: ]
server_tags: [a, b]
server_tags: [a b]
server_tags: [a¶b # c¶ c]
server_tags: [a, b,]
server_tags: [a,, b]
server_tags: []
server_tags: [1]
server_tags: [1]]
server_tags: [1k]
server_tags: [a / b]
server_tags: [a
server_tags: /
server_metadata {a: b c: d}
server_metadata {a: b, c: d; e: f}
server_metadata {a:¶b}
server_metadata {a:, b}
server_metadata {a: (¶x¶)¶}
server_metadata {"a b": c, 'd"': e}
server_metadata {a: b
server_metadata {b: x, a: y, B: z}
V: 5k¶max_payload: $V
max_payload: $V¶V: 5k
V: 5k
V: [a, b]¶server_tags: $V
V: x¶server_metadata { V: y, w: $V }
port: 4222¶V: $port¶max_control_line: $V
V: $V
V: 1.50¶W: $V¶X: $W
max_payload: $T_SIZE
V: $T_SIZE
jetstream { max_mem: 5GB }
port: 1, port: 2
include
include 'l.conf'
include l.conf
include "l.conf"¶ping_max: 9
include ./l.conf; port: 1
include nope.conf
include broken.conf
authorization { include a.conf }
authorization {¶ include 'a.conf'¶ password: $PW¶}
"""

NUMBERS = """
0.5 -0.5 1.0 100.25 0.000001 0.0000001 0.00000012345 123456789012345678901.0 1234567890123456789012.0 0.0 -0.0
3.14159265358979311 2016-05-04T18:53:41Z 0123-01-01T00:00:00Z 0 -5 9223372036854775807
"""

MEANING = rf"""
listen: 127.0.0.1:4222
listen: "[::1]:4222"
listen: localhost
listen: "a:b:c"
listen: yes
port: "4222"
port: 70000
client_advertise: "a:b:c"
server_name: 'a b'
server_tags: 5
server_metadata: {{a: 5}}
debug: 1
debug: "true"
max_payload: 2147483648
max_payload: -1
max_payload: 64MB, max_pending: 1MB
max_control_line: 5GB
max_connections: many
max_sub_tokens: 0
max_sub_tokens: 255
max_sub_tokens: 256
ping_interval: 30
ping_interval: 20s
ping_interval: "1h30m0.5s"
ping_interval: abc
ping_interval: "1d"
ping_interval: "3000000h"
ping_interval: true
write_deadline: "-3s"
write_timeout: retry
write_timeout: never
lame_duck_duration: 60
lame_duck_duration: "10s"
lame_duck_grace_period: "-4s"
no_such_key: 5
authorization: yes
authorization {{}}
authorization {{ user: a, password: b, timeout: 0.5 }}
authorization {{ user: a, password: b, timeout: 61 }}
authorization {{ user: a, password: 5 }}
authorization {{ user: a, password: b, token: c }}
authorization {{ user: a, users: [] }}
authorization {{ token: a, users: [] }}
authorization {{ colour: red }}
authorization {{ users: [{{user: a, password: b}}, {{user: a}}] }}
authorization {{ users: [{{nkey: {NKEY}}}] }}
authorization {{ users: [{{nkey: {NKEY}, user: a}}] }}
authorization {{ users: [{{nkey: {NKEY[:-1]}A}}] }}
authorization {{ users: [{{password: b}}] }}
authorization {{ users: [5 ] }}
authorization {{ users: [{{user: a, permissions: $T_MAP}}] }}
authorization {{ users: [{{user: a, permissions: {{publish: "a b"}}}}] }}
authorization {{ users: [{{user: a, permissions: {{subscribe: "a q.*"}}}}] }}
authorization {{ users: [{{user: a, permissions: {{subscribe: "a b c"}}}}] }}
authorization {{ users: [{{user: a, permissions: {{publish: {{allow: x, block: y}}}}}}] }}
authorization {{ users: [{{user: a, permissions: {{allow_responses: {{max: 5, ttl: "1m"}}}}}}] }}
authorization {{ users: [{{user: a, permissions: {{allow_responses: 5 }}}}] }}
authorization {{ users: [{{user: a, allowed_connection_types: [standard, in_process]}}] }}
authorization {{ users: [{{user: a, allowed_connection_types: NOPE}}] }}
authorization {{ auth_callout {{ issuer: {ISSUER}, auth_users: [a] }} }}
authorization {{ auth_callout {{ issuer: {ISSUER} }} }}
authorization {{ auth_callout {{ issuer: {NKEY}, auth_users: [a] }} }}
accounts: [A, B]
accounts: [A, A]
accounts {{ $G {{}} }}
accounts {{ A {{ users: [{{user: a}}] }}, B {{ users: [{{user: a}}] }} }}
authorization {{ user: a, password: b }}¶accounts {{ A {{ users: [{{user: c}}] }} }}
accounts {{ A {{ nkey: {ISSUER} }} }}
accounts {{ A {{ limits {{ max_conn: 1, max_subs: -1, max_pay: 1k, max_leafs: 5 }} }} }}
accounts {{ A {{ exports: [{{stream: "s.>"}}] }}, B {{ imports: [{{stream: {{account: A, subject: s.a}}}}] }} }}
accounts {{ A {{ exports: [{{stream: "s.*"}}] }}, B {{ imports: [{{stream: {{account: A, subject: "s.>"}}}}] }} }}
accounts {{ A {{ exports: [{{service: q}}] }}, B {{ imports: [{{service: {{account: A, subject: q}}, to: w}}] }} }}
accounts {{ A {{ exports: [{{service: q}}] }}, B {{ imports: [{{stream: {{account: A, subject: q}}}}] }} }}
accounts {{ B {{ imports: [{{service: {{account: A, subject: q}}}}] }} }}
accounts {{ A {{ exports: [{{stream: s, response: single}}] }} }}
accounts {{ A {{ exports: [{{service: s, latency: {{sampling: "50%", subject: l}}}}] }} }}
accounts {{ A {{ exports: [{{service: s, latency: {{sampling: 101, subject: l}}}}] }} }}
accounts {{ A {{ jetstream: enabled }} }}
accounts {{ A {{ jetstream: perhaps }} }}
mappings {{ foo: bar, "a.*": "b.$1" }}
mappings {{ "a.*": "b.$2" }}
mappings {{ "foo..x": bar }}
mappings {{ foo: [{{dest: a, weight: 50%}}, {{dest: b, weight: 40}}] }}
mappings {{ foo: [{{dest: a, weight: 60}}, {{dest: b, weight: 50}}] }}
mappings {{ foo: {{dest: a}} }}
system_account: 5
no_auth_user: nobody
cluster {{ name: C, listen: 127.0.0.1:6222, routes: [nats-route://u:p@h:1, nats://h:2] }}
cluster {{ name: 'a b' }}
cluster {{ routes: ["::bad::"] }}
cluster {{ routes: [nats://h:1, nats://h:1] }}
cluster {{ authorization {{ users: [] }} }}
cluster {{ authorization {{ token: t }} }}
cluster {{ authorization {{ permissions {{ publish: a }} }} }}
cluster {{ permissions {{ import: a, export: {{deny: b}} }} }}
cluster {{ compression: s2_fast, pool_size: -1, ping_interval: "20s" }}
cluster {{ ping_interval: "40s" }}
cluster: 5
leafnodes {{ port: 7422, remotes: [{{url: "nats-leaf://h:7422", account: A}}] }}
leafnodes {{ remotes: [{{url: "nats://h"}}, {{urls: ["nats://h"]}}] }}
leafnodes {{ min_version: 2.7.0 }}
leafnodes {{ authorization {{ users: [{{user: a}}, {{user: a}}] }} }}
gateway {{ name: G, port: 7222, gateways: [{{name: H, urls: ["nats://h:1"]}}] }}
gateway {{ name: G, gateways: [{{url: "::"}}] }}
websocket {{ port: 443, no_tls: true, allowed_origins: ["http://x"] }}
websocket {{ headers {{ X: 5 }} }}
mqtt {{ port: 1883, max_ack_pending: 70000 }}
jetstream: enabled
jetstream: maybe
jetstream {{ store_dir: x, max_mem: 1GB, max_file: "10G" }}
jetstream {{ max_mem: "10X" }}
tls {{ cert_file: nope.pem, key_file: nope.pem }}
tls {{ ca_file: l.conf }}
tls {{ min_version: "1.3", cipher_suites: [TLS_AES_128_GCM_SHA256], curve_preferences: [X25519] }}
tls {{ cipher_suites: [NOPE] }}
tls {{ cipher_suites: [] }}
tls {{ pinned_certs: [zz] }}
tls {{ handshake_first: "300ms" }}
tls {{ verify_cert_and_check_known_urls: true }}
resolver: MEMORY
resolver: perhaps
resolver_preload {{ A: x }}
operator: nope.jwt
trusted_keys: {NKEY}
proxies {{ trusted: [{{key: {NKEY}}}] }}
proxy_protocol: true
ocsp {{ mode: always }}
ocsp {{ mode: sometimes }}
feature_flags {{ x: 5 }}
default_js_domain {{ A: d }}
"""

FILES = {"l.conf": "max_payload: 2048\n", "a.conf": "PW: x\nuser: a\n", "broken.conf": "????"}


def lines(text: str) -> list[str]:
    return [line.replace("¶", "\n") for line in text.split("\n") if line]


SNIPPETS = [
    *lines(GRAMMAR),
    *lines(MEANING),
    *(f"V: {number}\nW: $V\nX: $W" for number in NUMBERS.split()),
    *(f"server_metadata: {{x: y}}\nV: [{number} , {number} ]\nW: $V\nX: [$W]\nY: $X" for number in NUMBERS.split()),
]

STRICTER = {
    "port: 4222\n'": "a quote without an end: the file may have been cut off",
    "max_payload: 1kbb\nport: 1": "nats-server leaves out a setting whose size suffix it does not know",
    "max_pending: 10e": "nats-server lets the product overflow",
    "port: 1\0debug: true": "nats-server takes a NUL for the end of the value",
    "server_name: \xff": "not UTF-8",
    'server_name: "\\xff"': "not UTF-8",
    "accounts: yes": "nats-server takes it for no accounts, and lets everybody in",
    "websocket { authorization { timeout: abc } }": "nats-server does not look at it",
    "resolver { type: full, dir: jwt, colour: red }": "nats-server does not look at it",
}
"""Text that nats-server lets pass and we refuse, with the reason."""


@pytest.mark.parametrize("text", SNIPPETS, ids=range(len(SNIPPETS)))
def test_both_servers_take_a_text_alike(nats_server_bin: str, tmp_path: Path, text: str) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    path = tmp_path / "main.conf"
    path.write_text(text, encoding="utf-8", newline="")
    assert ours(path) == official(nats_server_bin, path), text


@pytest.mark.parametrize("text", STRICTER)
def test_where_we_are_stricter_nats_server_still_is_not(nats_server_bin: str, tmp_path: Path, text: str) -> None:
    path = tmp_path / "main.conf"
    path.write_text(text, encoding="latin-1", newline="")
    assert official(nats_server_bin, path) is not None
    assert ours(path) is None


def test_the_texts_to_compare_are_not_all_alike() -> None:
    assert len(set(SNIPPETS)) == len(SNIPPETS) > 250
