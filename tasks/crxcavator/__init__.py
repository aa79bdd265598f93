"""CRXcavator: which Chrome extensions are installed, by whom, and how risky each version is.

The public service, crxcavator.io, is gone; what serves its API can be named in its place.
"""
