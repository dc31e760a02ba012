"""The load generator: what to send, the processes that send and count it, and what the figures mean."""
