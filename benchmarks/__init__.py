"""natsctl beside nats-server, in one run: ``python -m benchmarks`` prints the ratios.

Each round measures every row on every server in turn, and the next one in the opposite order, so that what else the
machine does falls on all of them. A ratio is that of two runs of the same round; what is shown is the median of the
rounds. A run that lost or doubled a single message is no run: its row is refused.
"""
