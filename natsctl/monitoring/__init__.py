"""What a monitoring port says, typed: read over HTTP, measured, remembered, recorded.

:mod:`~natsctl.monitoring.documents` is what goes over the wire (the broker writes with the same Structs);
:mod:`~natsctl.monitoring.reader` fetches it, :mod:`~natsctl.monitoring.poller` does so for several servers, which
:mod:`~natsctl.monitoring.cluster` finds; these three import httpx, nothing else here does. Each poll is a reading, and
:mod:`~natsctl.monitoring.snapshot` makes of it what a screen shows. :mod:`~natsctl.monitoring.history` and
:mod:`~natsctl.monitoring.rewind` remember the last minutes, :mod:`~natsctl.monitoring.recording` and
:mod:`~natsctl.monitoring.replay` keep them in files.
"""
