"""Chartfleet and its peer, Cartography 0.143, on the same simulated estate: `make bench`, `make bench QUICK=1`.

Both read one simulated AWS through one proxy, which answers from memory after a set latency, and write to the same
Neo4j. Only ratios of figures of one session count; absolute times depend on the machine.
"""
