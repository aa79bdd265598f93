"""Job files: what is read, in which order, and what is said about a bad one."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from analysis.engine import shipped_jobs, user_jobs
from analysis.job import Job, JobFileError, in_order, load_jobs


def written(directory: Path, name: str, content: Any) -> Path:
    file = directory / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def one(query: Any = "RETURN 1", **fields: Any) -> dict[str, Any]:
    return {"name": "a job", "statements": [{"query": query, **fields}]}


def test_files_are_found_recursively_and_ordered_by_path(tmp_path: Path) -> None:
    for name in ("b.json", "a/z.json", "a/b/c.json", "notes.txt", "..data/b.json"):
        written(tmp_path, name, one())
    assert [str(job.file.relative_to(tmp_path)) for job in user_jobs(tmp_path)] == ["a/b/c.json", "a/z.json", "b.json"]


def test_a_file_of_2020_is_read_as_it_is(tmp_path: Path) -> None:
    written(tmp_path, "job.json", one("MATCH (n) WHERE EXISTS(n.p) RETURN {A}", parameters={"A": 1}, __comment__="why"))
    [job] = user_jobs(tmp_path)
    [statement] = job.statements
    assert statement.query == "MATCH (n) WHERE (n.p IS NOT NULL) RETURN $A"
    assert (statement.iterative, statement.iterationsize) == (False, 0)


def test_the_runs_parameters_win_over_the_statements_and_limit_size_is_always_there(tmp_path: Path) -> None:
    written(tmp_path, "job.json", one(parameters={"A": 1, "UPDATE_TAG": 2, "LIMIT_SIZE": 3}, iterationsize=100))
    [job] = user_jobs(tmp_path)
    parameters = job.statements[0].with_parameters({"UPDATE_TAG": 9})
    assert parameters == {"A": 1, "UPDATE_TAG": 9, "LIMIT_SIZE": 100}


def test_a_query_may_be_a_list_of_lines(tmp_path: Path) -> None:
    written(tmp_path, "job.json", one(["MATCH (n)", "RETURN n"]))
    assert user_jobs(tmp_path)[0].statements[0].query == "MATCH (n)\nRETURN n"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"findings": "MATCH (n) RETURN count(n)"}, 'findings is "MATCH (n) RETURN count(n)"; give an object'),
        ({"findings": {"name": "old databases"}}, "findings.one is missing; give a text"),
        ({"reads": "aws.rds.instances"}, 'reads is "aws.rds.instances"; give a list of texts'),
        (
            {"reads": ["aws.rds.instance"]},
            'reads is ["aws.rds.instance"]; aws.rds.instance is not a resource type; `chartfleet schema` lists them',
        ),
    ],
)
def test_findings_and_reads_of_a_users_job_are_checked_like_those_of_a_shipped_one(
    tmp_path: Path, fields: dict[str, Any], problem: str
) -> None:
    file = written(tmp_path, "bad.json", one() | fields)
    with pytest.raises(JobFileError) as error:
        user_jobs(tmp_path, {"aws.rds.instances"})
    assert str(error.value).startswith(f"{file}: {problem}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not valid JSON: Expecting property name enclosed in double quotes at line 1 column 2; correct it"),
        ([], "the file is []; give an object"),
        ({"statements": [{"query": "RETURN 1"}]}, "name is missing; give a text"),
        ({"name": 7, "statements": [{"query": "RETURN 1"}]}, "name is 7; give a text"),
        ({"name": "x"}, "statements is missing; give a list"),
        ({"name": "x", "statements": []}, "statements is []; give a list"),
        ({"name": "x", "statements": ["RETURN 1"]}, 'statements[0] is "RETURN 1"; give an object'),
        (
            {"name": "x", "statements": [{"query": "RETURN 1"}, {}]},
            "statements[1].query is missing; give a Cypher query",
        ),
        (one(" "), 'statements[0].query is " "; give a Cypher query'),
        (one(iterative="yes"), 'statements[0].iterative is "yes"; give true or false'),
        (one(iterationsize=True), "statements[0].iterationsize is true; give a whole number"),
        (one(iterationsize=-1), "statements[0].iterationsize is -1; give a whole number"),
        (one(parameters=[1]), "statements[0].parameters is [1]; give an object"),
        (one(parameters={"a": [2**63]}), 'statements[0].parameters is {"a": [9223372036854775808]}; give an object'),
        (
            one("MATCH (n) WITH n LIMIT {LIMIT_SIZE} DELETE n", iterative=True),
            "statements[0].iterationsize is missing; it",
        ),
    ],
)
def test_what_is_wrong_names_file_field_value_and_way_out(tmp_path: Path, content: Any, said: str) -> None:
    file = written(tmp_path, "bad.json", content)
    with pytest.raises(JobFileError) as error:
        load_jobs(tmp_path)
    assert str(error.value).startswith(f"{file}: {said}")


def test_every_bad_file_is_named_at_once(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        written(tmp_path, name, "{")
    with pytest.raises(JobFileError) as error:
        user_jobs(tmp_path)
    assert [line.partition(":")[0] for line in str(error.value).splitlines()] == [
        str(tmp_path / "a.json"),
        str(tmp_path / "b.json"),
    ]


def test_a_missing_directory_is_an_error_and_no_flag_is_none(tmp_path: Path) -> None:
    with pytest.raises(JobFileError, match="nowhere is no such directory"):
        user_jobs(tmp_path / "nowhere")
    assert user_jobs(None) == []


def shipped(name: str, **fields: Any) -> Job:
    return Job(name=name, file=Path(f"{name}.json"), statements=(), **fields)


def test_who_reads_a_property_goes_after_who_writes_it() -> None:
    third = shipped("third", reads_properties={"Group": ("exposed",)})
    second = shipped("second", reads_properties={"Instance": ("exposed",)}, writes={"Group": ("exposed",)})
    first = shipped("first", writes={"Instance": ("exposed",)})
    assert in_order([third, second, first]) == [first, second, third]


def test_a_job_may_read_what_it_writes_itself() -> None:
    job = shipped("job", reads_properties={"L": ("p",)}, writes={"L": ("p",)})
    assert in_order([job]) == [job]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (shipped("a"), "b.json: name is 'a'"),
        (shipped("b", writes={"L": ("p",)}), "b.json: writes has L.p, as in a.json"),
        (shipped("b", writes={"L": ("q",)}, reads_properties={"L": ("p",)}), "wait for each other"),
    ],
)
def test_jobs_that_cannot_live_together_are_refused(other: Job, said: str) -> None:
    other = Job(**{**vars(other), "file": Path("b.json")})
    job = shipped("a", writes={"L": ("p",)}, reads_properties={"L": ("q",)})
    with pytest.raises(JobFileError, match=said):
        in_order([job, other])


def test_a_shipped_job_holds_no_statement_that_needs_its_own_commit(tmp_path: Path) -> None:
    written(tmp_path, "job.json", one("CREATE INDEX ON :L(p)"))
    with pytest.raises(JobFileError, match=r"statements\[0\].query is .*; a shipped job is one transaction"):
        load_jobs(tmp_path, shipped=True)


@pytest.mark.parametrize(
    ("query", "schema", "own_commits"),
    [
        ("CREATE INDEX ON :L(p)", True, False),
        ("CREATE RANGE INDEX by_name IF NOT EXISTS FOR (n:L) ON (n.p)", True, False),
        ("// first\nDROP CONSTRAINT by_name", True, False),
        ("CREATE (n:Index)", False, False),
        ("MATCH (n) CALL { WITH n DELETE n } IN TRANSACTIONS OF 10 ROWS", False, True),
        ("MATCH (n) CALL (n) { DELETE n } IN 3 CONCURRENT TRANSACTIONS", False, True),
        ("MATCH (n) WHERE 1 IN n.transactions RETURN 'CALL {} IN TRANSACTIONS'", False, False),
    ],
)
def test_what_neo4j_refuses_inside_a_transaction_is_known(
    tmp_path: Path, query: str, schema: bool, own_commits: bool
) -> None:
    written(tmp_path, "job.json", one(query))
    [statement] = user_jobs(tmp_path)[0].statements
    assert (statement.changes_schema, statement.commits_itself) == (schema, own_commits)


def test_the_shipped_jobs_are_sound() -> None:
    jobs = {job.name: job for job in shipped_jobs()}
    assert list(jobs) == [job.file.stem for job in jobs.values()]
    assert "aws.ec2.security_groups" in jobs["aws_ec2_asset_exposure"].reads
    assert all(job.reads for job in jobs.values())
    corrects = {"aws_account_names"}  # what rows write anew in each run, so that there is nothing to reset
    assert {name for name, job in jobs.items() if not (job.writes or job.writes_relationships)} == corrects
    assert all(job.findings for job in jobs.values() if job.writes), "flags are a verdict on what was seen"


# -- files of others


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646])
def test_a_file_that_others_may_write_is_not_run(tmp_path: Path, mode: int) -> None:
    file = written(tmp_path, "job.json", one())
    file.chmod(mode)
    with pytest.raises(JobFileError) as refused:
        user_jobs(tmp_path)
    way_out = f"run `chmod go-w {file}`"
    assert str(refused.value) == (
        f"{file}: others may write it (mode {mode:04o}): {way_out}: it would run with the graph's rights"
    )


@pytest.mark.parametrize("open_", [".", "a", "a/b"])
def test_a_file_in_a_directory_that_others_may_write_is_not_run(tmp_path: Path, open_: str) -> None:
    """They could replace it, or a directory on the way to it."""
    written(tmp_path, "a/b/job.json", one())
    (tmp_path / open_).chmod(0o777)
    with pytest.raises(JobFileError, match="others may write its directory"):
        user_jobs(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another user")
def test_a_file_of_another_user_is_not_run(tmp_path: Path) -> None:
    os.chown(written(tmp_path, "job.json", one()), 12345, 0)
    with pytest.raises(JobFileError, match="belongs to the user id 12345"):
        user_jobs(tmp_path)
