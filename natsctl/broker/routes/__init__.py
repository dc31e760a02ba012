"""Routes: the servers of a cluster, each connected with each.

``route`` is one connection and its conversation, ``mesh`` knows who is there and tells the others, ``caller`` connects
to servers that are not. ``port`` and ``encryption`` are the sockets below, ``documents`` and ``introduction`` what
servers say of themselves, ``logins`` whom we believe, ``addresses`` where a server can be found.
"""

from natsctl.broker.routes.mesh import Mesh

__all__ = ["Mesh"]
