"""A cluster on this machine to try things on, and the state of any cluster as its monitoring tells it."""
