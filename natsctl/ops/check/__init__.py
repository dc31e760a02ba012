"""Checks for monitoring systems: each asks one thing and gives a result that says how bad it is."""
