"""How Neo4j is run where it lives for minutes, and its graph is filled and emptied all the time."""

from __future__ import annotations

from typing import Final

from loaders.graph import Graph

# Otherwise each emptied graph would have it plan its queries anew: most of its work. All tests together have more
# queries than it remembers.
SETTINGS: Final = """\
dbms.cypher.min_replan_interval=10d
server.memory.query_cache.per_db_cache_num_entries=4000
"""
# Java inlines less: a seventh of Neo4j's CPU time would be spent on code that doesn't run long enough to repay it. Not
# to optimize at all (-XX:TieredStopAtLevel=1) costs more than it saves.
JAVA_OPTIONS: Final = "-XX:MaxInlineLevel=5 -XX:FreqInlineSize=80 -XX:LoopUnrollLimit=0"


def empty(graph: Graph) -> None:
    """Constraints and indexes stay, and with them Neo4j's plans."""
    graph.autocommit("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS")
