"""Leafnodes: connections by which a server joins one account of another server or cluster, its hub.

``accepted`` is one that came to us, ``solicited`` one that we made; ``remote`` makes it again whenever it is lost.
``leafnodes`` holds them all: who is there, who may come, how loops are marked.
"""

from natsctl.broker.leafnodes.leafnodes import Leafnodes

__all__ = ["Leafnodes"]
