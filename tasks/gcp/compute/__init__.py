"""Compute Engine: networks, what may come into them, and the machines in them."""
