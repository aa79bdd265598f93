"""Each page of docs/schema has queries. Each names what the schema has, and finds something in a graph with the samples
of all types, and what the barrier and the analysis jobs add.
"""

from __future__ import annotations

import re

import pytest

from docs import schema_pages
from docs.schema_pages import Query
from loaders.graph import Graph
from workers import schema

FAMILIES = schema_pages.families()
NEW = schema_pages.Family("aws", "without_a_file", next(f.types for f in FAMILIES if f.title == "aws.rds"))
QUERIES = [(family, query) for family in (*FAMILIES, NEW) for query in family.queries]

every_query = pytest.mark.parametrize(
    "query", [query for _, query in QUERIES], ids=[f"{family.title}: {query.question}" for family, query in QUERIES]
)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.title)
def test_a_page_has_queries(family: schema_pages.Family) -> None:
    assert family.queries
    file = family.queries_file.relative_to(schema_pages.FOLDER.parents[1])
    assert all(query.question for query in family.queries), f"{file}: a query without its question (// ... above it)"


def test_a_family_without_a_file_has_queries_that_follow_from_its_labels() -> None:
    assert schema_pages.queries(NEW.queries_file) == []
    assert [query.question for query in NEW.queries[:2]] == [
        "Which RDSCluster nodes there are",
        "How many RDSCluster nodes each AWSAccount has",
    ]


class Names:
    """Everything that a query may name."""

    def __init__(self) -> None:
        types_ = schema.described()
        nodes = [node for type_ in types_ for node in type_.nodes]
        self.labels = {label for node in nodes for label in node.labels}
        self.relationships = {edge.type for edge in schema.edges_of(types_)}
        of_every_node = {"conditions", "firstseen", "lastupdated"}
        self.properties = {one.name for node in nodes for one in node.properties} | of_every_node


@pytest.fixture(scope="module")
def names() -> Names:
    return Names()


@every_query
def test_a_query_names_what_is_in_the_schema(query: Query, names: Names) -> None:
    """Types of relationships, labels and properties; that they go together, the response shows."""
    text = re.sub(r"'[^']*'|//.*", "", query.text)
    in_edges = {
        name for edge in re.findall(r"\[\w*((?::|\|)[^\]{]*)", text) for name in re.findall(r"[A-Z_0-9]{2,}", edge)
    }
    labels = set(re.findall(r"(?:\(\w*|\s\w+|\|)(?::)([A-Z]\w+)", re.sub(r"\[[^\]]*\]", "", text)))
    properties = set(re.findall(r"\b[a-z]\w*\.([a-z_]\w*)\b(?!\()", text)) | set(re.findall(r"[{,]\s*(\w+):", text))
    assert labels <= names.labels
    assert in_edges <= names.relationships
    assert properties <= names.properties


@every_query
def test_a_query_finds_something(query: Query, samples: Graph) -> None:
    rows = samples.rows(query.text)
    assert rows, f"no row for: {query.question}"
    assert all(value is not None for value in rows[0].values()), f"{query.question}: {rows[0]}"
