"""Providers over HTTP: what tests and the demo talk to instead of the real ones."""
