"""What attack paths need of one account: its principals, and what gives somebody the permissions of a role."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from analysis.iam import principals
from analysis.iam.arn import account_of
from analysis.iam.assume_role import AssumableRoles, read_roles, roles_trusting
from analysis.iam.attack_catalogue import Start
from analysis.iam.known_conditions import decide
from analysis.iam.policy_evaluation import Conditions, any_of, conditional
from analysis.iam.principals import ALL, Principal
from analysis.iam.request_context import Context
from analysis.iam.resources import Resources
from analysis.iam.trust import ACTION, Role
from analysis.iam.trust_policy import clauses
from loaders.graph import Graph

TYPES: Final = (
    "aws.ec2.instances",
    "aws.iam.access_keys",
    "aws.iam.groups",
    "aws.iam.instance_profiles",
    "aws.iam.policies",
    "aws.iam.roles",
    "aws.iam.users",
    "aws.lambda.functions",
)
MAX_KEYS: Final = 2  # access keys that a user can have
_CHINA: Final = ".cn"  # some services have another name in China's partition

Things = Mapping[str, str]


@dataclass(frozen=True)
class Account:
    """
    prefix            of its principals' ARNs
    users, roles      by ARN
    groups            by ARN, with their own policies alone
    trust             the trust policies of its roles, and the version of their language
    assumable         all roles that trust somebody in the account, also those of other accounts
    functions         (ARN, role) of each Lambda function
    instances         (ARN, role) of each EC2 instance
    with_profile      the roles that an instance profile has; None: not read
    keys              the number of access keys by user, if there are any; None: not read
    """

    prefix: str
    users: Mapping[str, Principal]
    roles: Mapping[str, Principal]
    groups: Mapping[str, Principal]
    trust: Mapping[str, tuple[str, str | None]]
    assumable: tuple[Role, ...] = ()
    functions: tuple[tuple[str, str], ...] = ()
    instances: tuple[tuple[str, str], ...] = ()
    with_profile: frozenset[str] | None = None
    keys: Mapping[str, int] | None = None

    @property
    def id(self) -> str:
        return account_of(self.prefix)

    @cached_property
    def principals(self) -> Mapping[str, Principal]:
        """Users and roles."""
        return {**self.users, **self.roles}

    @cached_property
    def assuming(self) -> AssumableRoles:
        return AssumableRoles(self.assumable)

    @cached_property
    def policies(self) -> tuple[str, ...]:
        """The customer managed policies that its principals have."""
        having = (policy for principal in self.principals.values() for policy in principal.policies)
        return tuple(dict.fromkeys(filter(self._is_own, having)))

    @cached_property
    def resources(self) -> Mapping[str, Resources]:
        """What actions may be on, by the names of the catalogue."""
        return {
            "user": Resources(self.users),
            "role": Resources(arn for arn in self.roles if not is_protected(arn)),
            "group": Resources(self.groups),
            "policy": Resources(self.policies),
            "function": Resources(arn for arn, _ in self.functions),
            "instance": Resources(arn for arn, _ in self.instances),
        }

    @cached_property
    def starts(self) -> Mapping[Start, tuple[tuple[str, Things], ...]]:
        """The starts that are the same for all actors: whose permissions each gives, and the things by their names."""
        roles = [arn for arn in self.roles if not is_protected(arn)]
        return {
            Start.USER: tuple((arn, {"user": arn}) for arn in self.users),
            Start.ROLE: tuple((arn, {"role": arn}) for arn in roles),
            Start.PASSABLE_ROLE: tuple((arn, {"role": arn}) for arn in roles),
            Start.GROUP: tuple((arn, {"group": arn}) for arn in self.groups),
            Start.ROLE_WITH_POLICY: tuple(
                (arn, {"role": arn, "policy": policy})
                for arn in roles
                for policy in self.roles[arn].policies
                if self._is_own(policy)
            ),
            Start.FUNCTION: tuple((role, {"function": arn, "role": role}) for arn, role in self.functions),
            Start.INSTANCE: tuple((role, {"instance": arn, "role": role}) for arn, role in self.instances),
        }

    def own_policies(self, principal: Principal) -> list[str]:
        """The customer managed policies that a principal or its groups have."""
        return [policy for policy in principal.policies if self._is_own(policy)]

    def _is_own(self, policy: str) -> bool:
        return policy.startswith(f"{self.prefix}policy/")

    @cached_property
    def _by_service(self) -> dict[str, Mapping[str, Conditions]]:
        return {}

    def trusting(self, service: str) -> Mapping[str, Conditions]:
        """The roles that a service may assume, with the conditions of that."""
        known = self._by_service.get(service)
        if known is None:
            found = {arn: self._trusts(arn, service) for arn in self.roles if not is_protected(arn)}
            known = {arn: conditions for arn, conditions in found.items() if conditions is not None}
            self._by_service[service] = known
        return known

    def _trusts(self, role: str, service: str) -> Conditions | None:
        if role not in self.trust:
            return None
        document, version = self.trust[role]
        context = Context({"aws:sourceaccount": self.id, "aws:principalservicename": service})
        allowed: Conditions | None = None
        for clause in clauses(json.loads(document), ACTION, version):
            names = {name.removesuffix(_CHINA) for name in clause.names("Service")}
            named = bool(names & {"*", service}) is not clause.negated
            condition = decide(clause.condition, context) if clause.condition else True
            if not named or condition is False:
                continue
            if clause.allows:
                allowed = any_of(allowed, conditional(None if condition is True else condition))
            elif condition is True:
                return None
        return allowed

    def has_room_for_key(self, user: str) -> bool | None:
        return None if self.keys is None else self.keys.get(user, 0) < MAX_KEYS


def is_protected(role: str) -> bool:
    """Whether only AWS itself can change and pass the role."""
    return any(path in role for path in (":role/aws-service-role/", ":role/aws-reserved/"))


# --- the graph ---


def read(graph: Graph, prefix: str) -> Account:
    """The account whose principals' ARNs begin with the prefix. Holds all of them."""
    names = {"start": prefix, "account": account_of(prefix)}
    by_kind: defaultdict[str, dict[str, Principal]] = defaultdict(dict)
    for principal in principals.of_account(graph, prefix, ALL):
        kind = "role" if principal.is_role else "group" if principal.is_group else "user"
        by_kind[kind][principal.arn] = principal
    seen = {row["type"] for row in graph.rows(_SEEN, {**names, "types": list(TYPES)})}
    keys = {row["user"]: row["keys"] for row in graph.rows(_KEYS, names)}
    profiles = frozenset(row["role"] for row in graph.rows(_PROFILES, names))
    return Account(
        prefix,
        users=by_kind["user"],
        roles=by_kind["role"],
        groups=by_kind["group"],
        trust={row["arn"]: (row["trust_policy"], row["version"]) for row in graph.rows(_TRUST, names)},
        assumable=tuple(read_roles(graph, roles_trusting(graph, prefix), principals.organizations(graph))),
        functions=_pairs(graph.rows(_FUNCTIONS, names)),
        instances=_pairs(graph.rows(_INSTANCES, names)),
        with_profile=profiles if "aws.iam.instance_profiles" in seen else None,
        keys=keys if "aws.iam.access_keys" in seen else None,
    )


def _pairs(rows: Iterable[Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((row["arn"], row["role"]) for row in rows)


_SEEN: Final = """
UNWIND $types AS type
MATCH (s:SyncScope {type: type}) WHERE s.tenant = $account AND s.complete_at IS NOT NULL
RETURN DISTINCT type
"""

_TRUST: Final = """
MATCH (role:AWSPrincipal)
WHERE role.arn STARTS WITH $start AND role:AWSRole AND role.trust_policy IS NOT NULL
RETURN role.arn AS arn, role.trust_policy AS trust_policy, role.trust_policy_version AS version
"""

_KEYS: Final = """
MATCH (user:AWSPrincipal)-[:AWS_ACCESS_KEY]->(key:AccountAccessKey) WHERE user.arn STARTS WITH $start
RETURN user.arn AS user, count(DISTINCT key) AS keys
"""

_PROFILES: Final = """
MATCH (:AWSAccount {id: $account})-[:RESOURCE]->(:AWSInstanceProfile)-[:ASSOCIATED_WITH]->(role:AWSRole)
RETURN DISTINCT role.arn AS role
"""

_FUNCTIONS: Final = """
MATCH (:AWSAccount {id: $account})-[:RESOURCE]->(f:AWSLambda)-[:STS_ASSUME_ROLE_ALLOW]->(role:AWSRole)
RETURN DISTINCT f.arn AS arn, role.arn AS role ORDER BY arn
"""

_INSTANCES: Final = """
MATCH (:AWSAccount {id: $account})-[:RESOURCE]->(i:EC2Instance)
      -[:INSTANCE_PROFILE]->(:AWSInstanceProfile)-[:ASSOCIATED_WITH]->(role:AWSRole)
WHERE i.arn IS NOT NULL AND NOT coalesce(i.state, '') IN ['terminated', 'shutting-down']
RETURN DISTINCT i.arn AS arn, role.arn AS role ORDER BY arn
"""
