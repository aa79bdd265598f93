"""The sample queries, a `.cypher` file for each page or family, and what runs them or a user's own, read-only."""
