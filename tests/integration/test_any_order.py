"""The graph doesn't depend on the order in which scopes and batches come, nor on what comes twice, late or half.

A small estate of two accounts, in two runs: between them it changes, and some scopes are denied. Loaded scope by scope,
and loaded in any order, with lost attempts, a writer that dies before it tells the ledger, and batches that it loads
after a later attempt has taken over: both graphs must say the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from random import Random
from typing import Any, NamedTuple

import pytest
import redis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from loaders.batch import Row
from loaders.graph import Graph
from loaders.ledger import Attempt, Event, Fenced, Ledger, Taken
from loaders.model import NodeModel
from loaders.scope import Scope
from loaders.writer import Writer, claimed_by
from tests.fleet.graph_state import State, difference, graph_state
from tests.integration.runs import (
    Items,
    Run,
    balancer,
    balancer_v2,
    bucket,
    group,
    instance,
    reservation,
    role,
    role_arn,
    rows,
    scaling_group,
    scope,
)

ACCOUNTS = ("1111", "2222")
PRINCIPALS = ("*", *(role_arn(name, account) for account in ACCOUNTS for name in "ab"))
CIDRS = ("0.0.0.0/0", "::/0", "10.0.0.0/8")
SUBNETS = ("subnet-1", "subnet-2")
KEY_NAMES = ("ops", "web")
TYPES = (
    "aws.iam.roles",
    "aws.ec2.security_groups",
    "aws.ec2.subnets",
    "aws.ec2.instances",
    "aws.ec2.key_pairs",
    "aws.ec2.auto_scaling_groups",
    "aws.elb.load_balancers",
    "aws.elbv2.load_balancers",
    "aws.s3.buckets",
)
SCOPES = tuple(scope(type_, account) for account in ACCOUNTS for type_ in TYPES)
ROWS_PER_BATCH = 2

Batch = tuple[NodeModel, list[Row]]
Estate = dict[Scope, Items]


class Seen(NamedTuple):
    """What one run sees: a denied scope is read in part."""

    estate: Estate
    denied: frozenset[Scope]

    def batches(self, of: Scope) -> list[Batch]:
        all_of_it = [
            (model, found[start : start + ROWS_PER_BATCH])
            for model, found in rows(of, self.estate[of]).items()
            for start in range(0, len(found), ROWS_PER_BATCH)
        ]
        return all_of_it[: len(all_of_it) // 2] if of in self.denied else all_of_it


# --- estates ---


def some(values: Iterable[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(tuple(values)), unique=True).map(sorted)


@st.composite
def estates(draw: st.DrawFn) -> Estate:
    """Groups, subnets and instances have an account; trusts, references and links may lead into the other one."""
    owners = {name: draw(st.sampled_from((*ACCOUNTS, ""))) for name in ("logs", "site")}
    groups = {f"sg-{account}-{n}": account for account in ACCOUNTS for n in (1, 2)}
    instances = {f"i-{account}-{n}": account for account in ACCOUNTS for n in (1, 2)}
    estate: Estate = {}
    for account in ACCOUNTS:
        here = {
            "aws.iam.roles": [role(name, account, trusts=draw(some(PRINCIPALS))) for name in draw(some("ab"))],
            "aws.ec2.security_groups": [
                group(name, cidrs=draw(some(CIDRS)), called=draw(st.sampled_from(("default", "web"))))
                for name in draw(some(name for name, owner in groups.items() if owner == account))
            ],
            "aws.ec2.subnets": [
                {"SubnetId": f"{name}-{account}", "CidrBlock": draw(st.sampled_from(CIDRS))}
                for name in draw(some(SUBNETS))
            ],
            "aws.ec2.instances": [
                reservation(
                    instance(
                        name,
                        subnet=f"{draw(st.sampled_from(SUBNETS))}-{draw(st.sampled_from(ACCOUNTS))}",
                        groups=draw(some(groups)),
                        key_name=draw(st.sampled_from((None, *KEY_NAMES))),
                    )
                )
                for name in draw(some(name for name, owner in instances.items() if owner == account))
            ],
            "aws.elb.load_balancers": [
                balancer(f"lb-{account}", instances=draw(some(instances)), groups=draw(some(groups)), source="default")
            ],
            "aws.ec2.key_pairs": [{"KeyName": name, "KeyFingerprint": "1f:51"} for name in draw(some(KEY_NAMES))],
            "aws.ec2.auto_scaling_groups": [
                scaling_group(name, account, instances=draw(some(instances))) for name in draw(some(("web", "api")))
            ],
            "aws.elbv2.load_balancers": [
                balancer_v2(f"alb-{account}", account, instances=draw(some(instances)), groups=draw(some(groups)))
            ],
            "aws.s3.buckets": [bucket(name) for name, owner in owners.items() if owner == account],
        }
        estate |= {scope(type_, account): items for type_, items in here.items()}
    return estate


def seen() -> st.SearchStrategy[Seen]:
    return st.builds(Seen, estates(), st.frozensets(st.sampled_from(SCOPES), max_size=3))


# --- in the plain order ---


def in_plain_order(run: Run, what: Seen) -> None:
    for of in SCOPES:
        attempt, batches = run.begin(of), what.batches(of)
        for number, (model, found) in enumerate(batches):
            run.push(attempt, number, model, found)
        end(run, attempt, what, len(batches))
        run.load()


def end(run: Run, attempt: Attempt, what: Seen, batches: int) -> None:
    if attempt.scope in what.denied:
        run.ledger.denied(attempt, "AccessDenied", {})
    else:
        run.ledger.fetched(attempt, batches=batches, outcome={})


# --- in any order ---


class WriterDied(Exception):
    pass


class Eventful(Ledger):
    """Between what the writer takes and what it says of it, others get on; and the writer may die before it says it."""

    random: Random
    meanwhile: Callable[[], None]

    def take(self, *, max_batches: int, max_bytes: int) -> Taken | None:
        taken = super().take(max_batches=self.random.randint(1, 4), max_bytes=max_bytes)
        if taken:
            self.meanwhile()
        return taken

    def committed(self, batches: Iterable[str], *, failed: Collection[Scope] = ()) -> list[Event]:
        said = list(batches)
        self._may_die()
        events = super().committed(said, failed=failed)
        self._may_die()
        return events + super().committed(said, failed=failed)

    def cleaned(self, scopes: Iterable[Scope]) -> list[Event]:
        said = list(scopes)
        self._may_die()
        return super().cleaned(said) + super().cleaned(said)

    def _may_die(self) -> None:
        if self.random.random() < 0.1:
            raise WriterDied


def attempts(run: Run, of: Scope, what: Seen, random: Random, lose: Callable[[Scope], None]) -> Iterator[None]:
    """One scope, step by step: up to two attempts that are lost on the way, and one that comes to its end."""
    batches = what.batches(of)
    for lost in [True] * random.choice((0, 0, 1, 2)) + [False]:
        attempt = run.begin(of)
        yield
        for number, (model, found) in enumerate(random.sample(batches, len(batches))):
            if lost and random.random() < 0.4:
                break
            run.push(attempt, number, model, found)
            yield
        if not lost:
            end(run, attempt, what, len(batches))
            return
        lose(of)
        with pytest.raises(Fenced):
            end(run, attempt, what, len(batches))
        yield


def in_any_order(run: Run, what: Seen, random: Random, broker: redis.Redis) -> None:
    def lose(of: Scope) -> None:
        """The process of the attempt is dead: its lease runs out, and the sweeper hands the scope to another."""
        broker.zadd(f"chartfleet:ledger:{run.ledger.run}:leases", {of.id: 1})
        run.ledger.sweep(lease_seconds=600, max_crashes=9, redelivery_grace_seconds=600, broker="one", queued={})

    under_way = [attempts(run, of, what, random, lose) for of in SCOPES]

    def get_on() -> None:
        """Some steps of some scopes."""
        for _ in range(random.randint(0, 12)):
            if under_way:
                one = random.choice(under_way)
                if next(one, "done") == "done":
                    under_way.remove(one)

    ledger = run.ledger
    assert isinstance(ledger, Eventful)
    ledger.random, ledger.meanwhile = random, get_on
    while under_way or _open(ledger):
        get_on()
        with contextlib.suppress(WriterDied):
            run.load()


def _open(ledger: Ledger) -> int:
    info = ledger.info()
    assert info is not None
    return info.open


# --- both say the same ---


def loaded(
    broker: redis.Redis, writer: Writer, graph: Graph, runs: Sequence[Seen], load: Callable[[Run, Seen], None]
) -> list[State]:
    """What a graph says after each of the runs, begun with nothing."""
    graph.write(lambda tx: tx.run("MATCH (n) WHERE NOT n:SyncGraph DETACH DELETE n").consume())
    claimed = claimed_by(graph)
    states = []
    for tag, what in enumerate(runs, start=claimed.tag + 1 if claimed else 1):
        run = Run(broker, writer, tag, SCOPES, ledger=Eventful if load is not in_plain_order else Ledger)
        load(run, what)
        assert run.ledger.open_barrier("test", lease_seconds=60), "the run didn't come to its barrier"
        run.barrier()
        states.append(graph_state(graph))
        run.ledger.forget()
    return states


@pytest.mark.usefixtures("indexed")
@pytest.mark.parametrize("examples", [4, pytest.param(60, marks=pytest.mark.long)])
def test_the_graph_does_not_depend_on_the_order(
    broker: redis.Redis, writer: Writer, graph: Graph, examples: int
) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),  # to make a failure small, add Phase.shrink: it takes minutes
    )
    @given(runs=st.tuples(seen(), seen()), seed=st.integers(0, 2**32))
    def agree(runs: tuple[Seen, Seen], seed: int) -> None:
        random = Random(seed)
        plain = loaded(broker, writer, graph, runs, in_plain_order)
        shuffled = loaded(broker, writer, graph, runs, lambda run, what: in_any_order(run, what, random, broker))
        for number, (found, expected) in enumerate(zip(shuffled, plain, strict=True), start=1):
            assert not difference(found, expected), f"after run {number}"

    agree()
