"""Graphs as Cartography fills them: 2020's, written after its facts, and 0.143's, by Cartography itself."""
