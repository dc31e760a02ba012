"""TLS for clients: from the first byte of a connection to the plain bytes of the protocol.

``handshake`` takes a new connection through INFO, ClientHello and certificates; ``transport`` then stands between the
socket and the connection, which notices nothing. ``security`` holds what all connections share, ``context`` makes it
from the options.
"""
