"""Reload: a running broker takes over changed options, all of them or none.

A reload is prepared first (the file is read and compared, certificates and the log are opened, passwords of those who
are connected are verified), and whatever fails there changes nothing. Then it is applied within one turn of the loop.

What an option does when it changes is in :mod:`natsctl.broker.reload.effects`; which options may change at all, and
what the log says, in :mod:`natsctl.config.diff`.

Source: nats-server ``reload.go``.
"""

from natsctl.broker.reload.host import ReloadHost
from natsctl.broker.reload.reloader import Reloader

__all__ = ["ReloadHost", "Reloader"]
