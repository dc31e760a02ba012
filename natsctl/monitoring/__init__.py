"""What a monitoring port says, typed: the z-documents, an HTTP reader, rates, histories, recordings.

:mod:`~natsctl.monitoring.documents` is what goes over the wire (the broker writes with the same Structs),
:mod:`~natsctl.monitoring.reader` fetches it, :mod:`~natsctl.monitoring.rates` turns two readings into rates,
:mod:`~natsctl.monitoring.poller` makes a :class:`~natsctl.monitoring.snapshot.Snapshot` of each poll, and
:mod:`~natsctl.monitoring.recording` keeps them in files.
"""
