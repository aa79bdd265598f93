"""Random faults: runs of a whole fleet under a seeded schedule of faults, each judged by an oracle.

`make faults` draws a few, `make faults RUNS=200 SEED=7` as many as are wanted; docs/fault-harness.md describes it.
"""
