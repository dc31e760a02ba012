"""The words of the NATS protocol as small pure functions and documents: no socket, no clock, no state."""
