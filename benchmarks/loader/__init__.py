"""The loader alone, beside the bare Neo4j driver: python -m benchmarks.loader

Both write the same rows with the same statement, in transactions of as many rows, to one Neo4j: a part of them each in
turn, so that whatever else the machine does falls on both. The loader takes its rows from a ledger in a Redis, where
they were put as a fetch worker puts them; the driver has them as Python objects. Only ratios of figures of one run
count.
"""
