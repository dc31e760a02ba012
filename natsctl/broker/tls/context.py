"""From options to OpenSSL.

Source: nats-server ``opts.go`` (GenTLSConfig); Go's ``crypto/tls`` for the choice among certificates.
"""

from __future__ import annotations

import ssl

from natsctl.config.ciphers import CURVES, SECURE, SUITES
from natsctl.config.options import TlsCertificate, TlsOptions

__all__ = ["client_facing_context", "monitoring_context", "outgoing_context"]


def client_facing_context(options: TlsOptions) -> ssl.SSLContext:
    """Make the context of the port for clients."""
    contexts = [_context(options, certificate, options.wants_certificate) for certificate in options.certificates]
    _choose_by_name(contexts, options.certificates)
    return contexts[0]


def monitoring_context(options: TlsOptions) -> ssl.SSLContext:
    """Make the context of the monitoring port, which shows the same certificates and asks for none."""
    contexts = [_context(options, certificate, wants_certificate=False) for certificate in options.certificates]
    _choose_by_name(contexts, options.certificates)
    return contexts[0]


def outgoing_context(options: TlsOptions) -> ssl.SSLContext:
    """Make the context of connections to other servers, who have to prove their names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _restrict(context, options)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if options.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif options.ca_file:
        context.load_verify_locations(options.ca_file)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    for certificate in options.certificates[:1]:
        context.load_cert_chain(certificate.cert_file, certificate.key_file, password="")
    return context


def _restrict(context: ssl.SSLContext, options: TlsOptions) -> None:
    """Hold a context to the versions, suites and curves that are allowed."""
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if options.min_version == "1.3" else ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    suites = [SUITES[name] for name in options.cipher_suites or SECURE if name in SUITES]
    if suites:
        context.set_ciphers(":".join(suites))
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    for curve in options.curve_preferences:
        context.set_ecdh_curve(CURVES[curve])


def _context(options: TlsOptions, certificate: TlsCertificate, wants_certificate: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _restrict(context, options)
    # Clients of NATS do not resume sessions: tickets would be made, sent and kept for nothing.
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.load_cert_chain(certificate.cert_file, certificate.key_file, password="")
    if wants_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        # As Go: what stands in the file is trusted, be it a root, an intermediate or the certificate of a client.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if options.ca_file:
            context.load_verify_locations(options.ca_file)
        else:
            context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
    return context


def _choose_by_name(contexts: list[ssl.SSLContext], certificates: list[TlsCertificate]) -> None:
    if len(contexts) == 1:
        return
    from natsctl.pki.certificates import load_certificates  # with a library that only several certificates need
    from natsctl.pki.files import read_file
    from natsctl.pki.verify import matches_host

    files = [pair.cert_file for pair in certificates]
    named = [
        (load_certificates(read_file(file), file)[0], context) for file, context in zip(files, contexts, strict=True)
    ]

    def choose(tls: ssl.SSLSocket | ssl.SSLObject, server_name: str | None, _: ssl.SSLContext) -> None:
        for certificate, context in named:
            if server_name is not None and matches_host(certificate, server_name):
                tls.context = context
                return

    contexts[0].sni_callback = choose
