"""Attack paths: how users and roles could become administrators, step by step.

Of each principal the best path is found: the most certain, and of these the shortest. An administrator may do all of
IAM on everything in its account. A path ends at the first one, since that one can give itself the rest.

`find` reads accounts one after the other and keeps, of each, who can become whom; then it reads those again on whose
principals a path was found, to say which statements allow each step.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from analysis.iam import attack_account, principals
from analysis.iam.arn import account_of, account_prefix
from analysis.iam.attack_account import Account
from analysis.iam.attack_actor import Actor, Terms, administrator
from analysis.iam.attack_explanation import explained
from analysis.iam.attack_steps import Certainty, Node, Step, of, steps
from analysis.iam.decision import Deciding
from analysis.iam.principals import USERS_AND_ROLES, Principal
from loaders.graph import Graph

MAX_STEPS: Final = 10


@dataclass(frozen=True, slots=True)
class ExplainedStep:
    """`others`: the ids of further ways of the same step; `statements`: those that apply to its actions."""

    step: Step
    others: tuple[str, ...]
    statements: tuple[Deciding, ...]


@dataclass(frozen=True, slots=True)
class AttackPath:
    """
    source     ARN of the user or role
    end        whose permissions it gets in the end
    under      JSON text of the conditions under which that is an administrator; None: always
    unread     policies of the end that were not read, so that it isn't known whether it is an administrator
    """

    source: str
    end: Node
    certainty: Certainty
    steps: tuple[ExplainedStep, ...]
    under: Terms = None
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotJudged:
    """A principal with policies that were not read: it may have further paths."""

    principal: str
    unread: tuple[str, ...]


@dataclass(frozen=True)
class Accounts:
    """The accounts to analyze. `read`: one of them by the prefix of its principals' ARNs."""

    prefixes: tuple[str, ...]
    read: Callable[[str], Account]

    @classmethod
    def of_graph(cls, graph: Graph) -> Accounts:
        last: dict[str, Account] = {}

        def read(prefix: str) -> Account:
            if prefix not in last:
                last.clear()
                last[prefix] = attack_account.read(graph, prefix)
            return last[prefix]

        return cls(tuple(principals.accounts(graph, USERS_AND_ROLES)), read)


@dataclass(frozen=True, slots=True)
class Administrator:
    """How certain it is that a node is one, and under which conditions."""

    certainty: Certainty
    under: Terms = None
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reached:
    """A principal, or what it can become; `administrator`: if it is one, or may be."""

    node: Node
    principal: Principal
    administrator: Administrator | None
    steps: Sequence[Step]


def walk(account: Account) -> Iterator[Reached]:
    """The users and roles of an account, then what they can become, each with the steps that it can take."""
    waiting = [Node(arn) for arn in account.principals]
    known = set(waiting)
    for node in waiting:  # grows: what somebody has become may take further steps
        principal = of(node, account)
        found = list(steps(node, account))
        yield Reached(node, principal, _administrator(principal, account), found)
        for target in (step.target for step in found):
            if target.having and target not in known:
                known.add(target)
                waiting.append(target)


def _administrator(principal: Principal, account: Account) -> Administrator | None:
    is_one, under = administrator(Actor(principal, account))
    if principal.unread:
        possible = administrator(Actor(principal.at_most(), account))[0]
        return Administrator(Certainty.NOT_JUDGED, unread=principal.unread) if possible else None
    if not is_one:
        return None
    return Administrator(Certainty.PROVEN if under is None else Certainty.POSSIBLE, under)


@dataclass
class Reach:
    """Who can become whom, and who is an administrator."""

    sources: defaultdict[Node, dict[Node, Certainty]] = field(default_factory=lambda: defaultdict(dict))
    administrators: dict[Node, Administrator] = field(default_factory=dict)
    not_judged: list[NotJudged] = field(default_factory=list)

    def add(self, account: Account) -> None:
        for reached in walk(account):
            node, principal = reached.node, reached.principal
            if principal.unread and not node.having:
                self.not_judged.append(NotJudged(node.arn, principal.unread))
            if reached.administrator is not None:
                self.administrators[node] = reached.administrator
            for step in reached.steps:
                self._connect(step)

    def _connect(self, step: Step) -> None:
        certainties = self.sources[step.target]
        certainties[step.source] = min(step.certainty, certainties.get(step.source, Certainty.NOT_JUDGED))

    def ways_to(self, ends: Mapping[Node, Certainty]) -> dict[Node, tuple[Certainty, int, Node | None]]:
        """Of each node that reaches an end: how certain, in how many steps, and by which node next."""
        best: dict[Node, tuple[Certainty, int, Node | None]] = {}
        order = 0
        queue: list[tuple[Certainty, int, int, Node, Node | None]] = []
        for node, certainty in ends.items():
            heapq.heappush(queue, (certainty, 0, order := order + 1, node, None))
        while queue:
            certainty, count, _, node, following = heapq.heappop(queue)
            if node in best:
                continue
            best[node] = certainty, count, following
            if count == MAX_STEPS:
                continue
            for source, step in sorted(self.sources.get(node, {}).items(), key=lambda item: _order(item[0])):
                if source not in best:
                    heapq.heappush(queue, (max(certainty, step), count + 1, order := order + 1, source, node))
        return best


def _order(node: Node) -> tuple[str, str, tuple[str, ...]]:
    return node.arn, node.having, node.without


@dataclass(frozen=True, slots=True)
class Found:
    """`paths`: by certainty, length and ARN."""

    paths: tuple[AttackPath, ...]
    administrators: int
    not_judged: tuple[NotJudged, ...]


def find(accounts: Accounts, *, principal: str | None = None, to: str | None = None) -> Found:
    """The best path of each principal, or of one, to an administrator, or to the permissions of one user or role.

    An administrator of that user's or role's account has these, too.
    """
    reach = Reach()
    for prefix in accounts.prefixes:
        reach.add(accounts.read(prefix))
    ends = {node: found.certainty for node, found in reach.administrators.items()}
    if to is not None:
        ends = {node: certainty for node, certainty in ends.items() if account_of(node.arn) == account_of(to)}
        ends[Node(to)] = Certainty.PROVEN
    ways = reach.ways_to(ends)
    starts = [
        node
        for node, (_, count, _) in ways.items()
        if count and not node.having and (principal is None or node.arn == principal)
    ]
    explanations = _explained(accounts, {node for start in starts for node in _nodes(start, ways)[:-1]}, ways)
    paths = [_path(start, ways, reach, explanations) for start in starts]
    paths.sort(key=lambda path: (path.certainty, len(path.steps), path.source))
    certain = sum(not node.having and it.certainty is Certainty.PROVEN for node, it in reach.administrators.items())
    return Found(tuple(paths), certain, tuple(reach.not_judged))


_Ways = Mapping[Node, tuple[Certainty, int, Node | None]]


def _nodes(start: Node, ways: _Ways) -> list[Node]:
    nodes = [start]
    while (following := ways[nodes[-1]][2]) is not None:
        nodes.append(following)
    return nodes


def _path(start: Node, ways: _Ways, reach: Reach, explanations: Mapping[Node, ExplainedStep]) -> AttackPath:
    nodes = _nodes(start, ways)
    end = reach.administrators.get(nodes[-1], Administrator(Certainty.PROVEN))
    certainty = ways[start][0]
    found = tuple(explanations[node] for node in nodes[:-1])
    return AttackPath(start.arn, nodes[-1], certainty, found, end.under, end.unread)


def _explained(accounts: Accounts, nodes: Iterable[Node], ways: _Ways) -> dict[Node, ExplainedStep]:
    by_account: defaultdict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        by_account[account_prefix(node.arn)].append(node)
    return {
        node: _best(node, ways[node][2], accounts.read(prefix))
        for prefix, of_account in sorted(by_account.items())
        for node in of_account
    }


def _best(node: Node, following: Node | None, account: Account) -> ExplainedStep:
    best, *others = sorted(_between(node, following, account), key=lambda step: (step.certainty, step.way.id))
    further = dict.fromkeys(step.way.id for step in others if step.way.id != best.way.id)
    return ExplainedStep(best, tuple(further), tuple(explained(best, account)))


def _between(node: Node, following: Node | None, account: Account) -> Iterator[Step]:
    return (step for step in steps(node, account) if step.target == following)
