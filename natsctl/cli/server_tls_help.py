"""What ``natsctl server --help_tls`` prints."""

from __future__ import annotations

from natsctl.config.ciphers import CURVES, INSECURE, SECURE, TLS13_SUITES

__all__ = ["TLS_HELP"]

_EXAMPLE = """\
The tls block of a configuration file says how clients reach the server encrypted:

    tls {
        cert_file: "server.pem"          # the server's certificate, with its chain behind it
        key_file:  "server-key.pem"
        ca_file:   "ca.pem"              # who signs the certificates of clients
        verify:    true                  # a client must show one

        # verify_and_map: true           # and it is the client's login
        # pinned_certs: ["<hex>", ...]   # SHA-256 of the public keys that clients may have
        # certs: [{cert_file: ..., key_file: ...}, ...]   # several, chosen by the name a client asks for
        # timeout: 2s                    # for one handshake
        # handshake_first: auto          # true, auto (50 ms) or a duration: TLS may begin before INFO
        # connection_rate_limit: 100     # handshakes per second
        # min_version: "1.3"
        # cipher_suites: [...]           # of TLS 1.2; those of TLS 1.3 are always offered
        # curve_preferences: ["X25519"]  # one of them
    }
    # allow_non_tls: true                # clients may do without
    # https_port: 8222                   # monitoring, with the same certificate

The flags --tls --tlscert --tlskey --tlsverify --tlscacert replace the block as a whole.
"""


def _listed(title: str, names: list[str]) -> str:
    return "\n".join([f"{title}:", *(f"    {name}" for name in names), ""])


TLS_HELP = "\n".join(
    [
        _EXAMPLE,
        _listed("Cipher suites of TLS 1.3", sorted(TLS13_SUITES)),
        _listed("Cipher suites of TLS 1.2", list(SECURE)),
        _listed("Cipher suites that need allow_insecure_cipher_suites", sorted(INSECURE)),
        _listed("Curves", [name for name, openssl in CURVES.items() if openssl]).rstrip(),
    ]
)
