"""Takes over a graph that Cartography filled. Afterwards runs update it and delete from it like from any graph.

Four steps, in bounded transactions; if interrupted, the next call continues:

labels      labels that Cartography uses differently are corrected (`labels.py`)
duplicates  nodes with the same key are merged (`duplicates.py`)
owners      every node gets the `_scope` that would have written it, as far as the graph shows (`owners.py`), and so do
            the edges that this scope would have written (`takeover.py`)
indexes     plain indexes are replaced by constraints (`loaders.indexes`)

Only merged nodes and edges that no declaration maintains are deleted. What no longer exists in the cloud is deleted by
the first complete fetch of its scope, as always; what has no tenant, by the first run.
"""

from __future__ import annotations

from loaders.adoption.adoption import Adopted, Adoption, highest_tag, needs_adoption

__all__ = ["Adopted", "Adoption", "highest_tag", "needs_adoption"]
