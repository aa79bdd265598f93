"""Each page of docs/schema has queries. Each names what the schema has, and finds something in a graph with the samples
of all types, and what the barrier and the analysis jobs add.
"""

from __future__ import annotations

import re

import pytest

from analysis.queries import catalog
from analysis.queries.query_file import Query
from demo import sample_queries
from docs import schema_pages
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
    told = f"{family.queries_file.name}: a query without its name and question (`// name: ...` above it)"
    assert all(query.question for query in family.queries), told
    assert all(query.name != family.title for query in family.queries), told


def test_every_query_is_on_a_page() -> None:
    pages = {family.title for family in FAMILIES} | {"samples", "people"}
    assert {file.stem for file in catalog.SHIPPED.glob("*.cypher")} <= pages
    for name, page in (("samples", sample_queries.PAGE), ("people", sample_queries.PEOPLE)):
        of_page = [query.text for query in catalog.shipped().values() if query.name.startswith(f"{name}.")]
        assert [sample.query.strip() for sample in sample_queries.read(page)] == of_page


def test_a_family_without_a_file_has_queries_that_follow_from_its_labels() -> None:
    assert not NEW.queries_file.exists()
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
