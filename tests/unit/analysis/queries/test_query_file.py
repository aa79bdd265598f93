"""Files of queries: what their comments name, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.queries import catalog
from analysis.queries.query_file import Query, QueryFileError, queries
from loaders.errors import UsageError


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text)
    return file


def test_a_comment_names_a_query_and_asks_its_question(tmp_path: Path) -> None:
    text = "// all: How many nodes\n// are there\nMATCH (n)\nRETURN count(n);\n\n// one: What is one\nRETURN 1;\n"
    assert queries(written(tmp_path, "mine.cypher", text)) == [
        Query("mine.all", "How many nodes are there", "MATCH (n)\nRETURN count(n)"),
        Query("mine.one", "What is one", "RETURN 1"),
    ]


def test_a_query_without_a_name_is_called_as_its_file_is(tmp_path: Path) -> None:
    assert queries(written(tmp_path, "one.cypher", "RETURN 1 AS one")) == [Query("one", "", "RETURN 1 AS one")]


def test_two_queries_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(QueryFileError, match=r"mine\.cypher: 2 queries are called mine: begin the comment"):
        queries(written(tmp_path, "mine.cypher", "RETURN 1;\nRETURN 2;\n"))


@pytest.mark.parametrize(("data", "told"), [(b"\xff", "can't be read"), (b"//" + b" " * 1_000_000, "is longer than")])
def test_what_is_no_text_or_too_long_is_refused(tmp_path: Path, data: bytes, told: str) -> None:
    file = tmp_path / "mine.cypher"
    file.write_bytes(data)
    with pytest.raises(QueryFileError, match=told):
        queries(file)


def test_a_directory_is_searched_but_not_what_is_hidden(tmp_path: Path) -> None:
    """A mounted ConfigMap holds each file twice, once under `..data`."""
    for folder in ("team", "..data"):
        (tmp_path / folder).mkdir()
        written(tmp_path / folder, "mine.cypher", "RETURN 1")
    assert list(catalog.of_directory(tmp_path)) == ["mine"]


def test_the_last_part_of_a_name_is_enough_if_no_other_has_it() -> None:
    known = {name: Query(name, "", "RETURN 1") for name in ("aws.s3.public-buckets", "gcp.public-buckets", "aws.keys")}
    assert catalog.find("keys", known).name == "aws.keys"
    with pytest.raises(UsageError, match=r"did you mean aws\.s3\.public-buckets or gcp\.public-buckets\?"):
        catalog.find("public-buckets", known)


def test_a_mistyped_name_is_corrected() -> None:
    with pytest.raises(UsageError, match=r'no query "aws\.s3\.public-bukets"; did you mean aws\.s3\.public-buckets\?'):
        catalog.find("aws.s3.public-bukets", catalog.shipped())
