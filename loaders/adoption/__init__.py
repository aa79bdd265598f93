"""Takes over a graph that Cartography filled: a normal start, after which the runs keep and delete as in any graph.

Four steps, each of transactions that are bounded and leave a graph from which the next call goes on:

labels      what Cartography says of a node by another label than Chartfleet (`labels.py`)
duplicates  nodes of one identity become one (`duplicates.py`)
owners      every node gets the `_scope` that would have written it, as far as the graph tells (`owners.py`), and with
            it the edges that this scope would have written (`takeover.py`)
indexes     plain indexes give way to constraints (`loaders.indexes`)

Nothing is deleted but what is merged, and edges that nobody would keep up. What is gone from the cloud is deleted by
the first complete fetch of its scope, as always; what no tenant leads to, by the first run.
"""

from __future__ import annotations

from loaders.adoption.adoption import Adopted, Adoption, highest_tag, needs_adoption

__all__ = ["Adopted", "Adoption", "highest_tag", "needs_adoption"]
