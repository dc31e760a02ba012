"""``nats.conf``: its language, and the typed options it means.

``load`` and ``loads`` read a server's configuration, ``check_start`` asks what only matters when a broker starts, and
``parse`` reads any text in the language.
"""

from natsctl.config.checks import check_start
from natsctl.config.document import Node, Place
from natsctl.config.load import Loaded, load, load_available, loads, parse
from natsctl.config.options import Options

__all__ = ["Loaded", "Node", "Options", "Place", "check_start", "load", "load_available", "loads", "parse"]
