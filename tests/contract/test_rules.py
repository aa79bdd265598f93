"""Each rule finds what it is about, finds nothing where that is in order, and says so where it can't know."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import pytest

from analysis.findings.record import Verdict
from analysis.findings.rule import Rule
from loaders.graph import Graph
from loaders.ledger import Ledger, RunState
from tasks.engine import registry
from tests.contract.faults import FAULTS
from tests.contract.loading import Runs
from tests.contract.rule_estates import Estate, estates_of, examples, together
from tests.contract.stand_in import StandIn
from tests.fleet.short_lived_graph import empty
from workers import embedded
from workers.fleet import barrier
from workers.fleet.judging import shipped
from workers.fleet.process import Process
from workers.settings.settings import Settings

PASSWORD = "CHARTFLEET_TEST_RULES_PASSWORD"  # the name of a variable
PORT = re.compile(r"@127\.0\.0\.1:\d+")  # of the server that stands for GitHub's, in the name of an organization

pytestmark = pytest.mark.timeout(1200)  # the runs, of all rules, are the first test's
each_rule = pytest.mark.parametrize("rule", shipped(), ids=[rule.id for rule in shipped()])


@dataclass
class Verdicts:
    """Keys of the resources that a rule found in each of its estates, and what it says where nothing could be read."""

    found: dict[tuple[str, bool], set[str]] = field(default_factory=dict)
    denied: dict[str, tuple[str, int]] = field(default_factory=dict)


def test_each_rule_has_an_example() -> None:
    assert set(examples()) == {rule.id for rule in shipped()}


@each_rule
def test_it_finds_what_it_is_about(rule: Rule, verdicts: Verdicts) -> None:
    assert estates_of(rule)[0].resource in verdicts.found[rule.id, True]


@each_rule
def test_it_finds_nothing_where_that_is_in_order(rule: Rule, verdicts: Verdicts) -> None:
    assert estates_of(rule)[1].resource not in verdicts.found[rule.id, False]


@each_rule
def test_it_is_not_judged_where_nothing_was_seen(rule: Rule, verdicts: Verdicts) -> None:
    assert verdicts.denied[rule.id] == (Verdict.NOT_JUDGED, 0)


# --- the runs


@pytest.fixture(scope="module")
def verdicts(
    request: pytest.FixtureRequest, indexed: None, services: embedded.Services, stand_ins: dict[str, StandIn]
) -> Iterator[Verdicts]:
    """Of the rules whose tests are selected."""
    collected = (getattr(item, "callspec", None) for item in request.session.items if item.path == request.path)
    rules = list({spec.params["rule"].id: spec.params["rule"] for spec in collected if spec}.values())
    with closing(Judging(services, stand_ins)) as judging:
        verdicts = Verdicts()
        for group in together(estate for rule in rules for estate in estates_of(rule)):
            for estate, found in judging.found(group):
                verdicts.found[estate.rule.id, estate.found] = found
        verdicts.denied = judging.denied(rules)
        yield verdicts


class Judging:
    """Runs over an emptied graph, each to the end of its analysis, by a process of its own."""

    def __init__(self, services: embedded.Services, stand_ins: dict[str, StandIn]) -> None:
        os.environ[PASSWORD] = services.graph.password or ""
        values = {
            "broker_url": services.broker_url,
            "neo4j_uri": services.graph.uri,
            "neo4j_user": services.graph.user,
            "neo4j_password_env_var": PASSWORD,
        }
        self._graph = Graph.at(services.graph)
        self._settings = Settings.load({}, {}).with_values(values, "test")
        self._stand_ins = stand_ins

    def close(self) -> None:
        self._graph.close()
        del os.environ[PASSWORD]

    def found(self, estates: Sequence[Estate]) -> Iterator[tuple[Estate, set[str]]]:
        responses = {name: found for estate in estates for name, found in estate.responses().items()}
        self._judge(lambda runs: runs.load(responses))
        for estate in estates:
            query = "MATCH (f:SyncFinding {rule: $rule}) RETURN f.resource_key AS key"
            rows = self._graph.rows(query, {"rule": estate.rule.id})
            yield estate, {PORT.sub("", row["key"]) for row in rows}

    def denied(self, rules: Sequence[Rule]) -> dict[str, tuple[str, int]]:
        types = [registry.types()[name] for name in sorted({name for rule in rules for name in rule.reads})]
        self._judge(lambda runs: runs.load_nothing(FAULTS["denied"], types))
        query = "MATCH (r:SyncRule) RETURN r.id AS id, r.verdict AS verdict, r.count AS count"
        return {row["id"]: (row["verdict"], row["count"]) for row in self._graph.rows(query)}

    def _judge(self, load: Callable[[Runs], Ledger]) -> None:
        empty(self._graph)
        process = Process(self._settings)
        for key in process.redis.scan_iter("chartfleet:*"):
            process.redis.delete(key)
        with closing(process.writer), closing(process.redis):
            assert process.writer.acquire()
            ledger = load(Runs(process.writer, process.redis, self._stand_ins))
            barrier.analyse(process, ledger.run)
            info = ledger.info()
            assert info is not None
            assert (info.state, info.report["failed_jobs"]) == (RunState.COMPLETE, [])
