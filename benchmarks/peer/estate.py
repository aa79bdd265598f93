"""An estate of any number of accounts in a simulated AWS, each like the demo's, and what changes in it between runs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import boto3

from demo import estate as demo
from demo import inventory
from demo.inventory import REGIONS

T = TypeVar("T")

FIRST_ACCOUNT: Final = 700_000_000_001
CHANGED_SHARE: Final = 0.01
_UNREADABLE_ROLES: Final = ("anyone-at-all",)  # the peer ends at a trust policy whose principal is just "*"
_AT_A_TIME: Final = 3  # accounts that are filled; the simulator is one process


@dataclass(frozen=True, slots=True)
class Size:
    """Accounts x regions, written 5x3."""

    accounts: int
    regions: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError."""
        accounts, _, regions = text.partition("x")
        size = cls(int(accounts), int(regions))
        if size.accounts < 1 or not 1 <= size.regions <= len(REGIONS):
            raise ValueError(f"{text}: at least 1 account, and 1 to {len(REGIONS)} regions")
        return size

    def __str__(self) -> str:
        return f"{self.accounts}x{self.regions}"


@dataclass(slots=True)
class Estate:
    """What is in the simulated AWS at `endpoint`, which `fill` puts there."""

    endpoint: str
    size: Size
    _groups: list[tuple[str, str, str]] = field(default_factory=list)  # account, region, security group
    _users: list[tuple[str, str]] = field(default_factory=list)  # account, name
    _round: int = 0

    @property
    def accounts(self) -> list[str]:
        return [str(FIRST_ACCOUNT + number) for number in range(self.size.accounts)]

    @property
    def regions(self) -> tuple[str, ...]:
        return REGIONS[: self.size.regions]

    def fill(self) -> None:
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            filled = list(pool.map(self._fill_account, self.accounts))
        for one in filled:
            self._groups += [(one.account, name, id) for name, r in one.regions.items() for id in r.groups.values()]
            self._users += [(one.account, name) for name in one.users]

    def change(self) -> int:
        """One in a hundred security groups gets a rule and loses that of the last change; one in a hundred users is
        replaced. Returns how many resources that were: at least one of each.
        """
        self._round += 1
        changed = 0
        for account, region, group in _share(self._groups):
            self._move_rule(self._client(account, "ec2", region), group)
            changed += 1
        for number, (account, _) in enumerate(_share(self._users)):
            self._replace_user(self._client(account, "iam", REGIONS[0]), number)
            changed += 1
        return changed

    def write_profiles(self, file: Path) -> None:
        """An AWS configuration by which both tools reach every account: a profile each, with the account's keys."""
        file.write_text("".join(_PROFILE.format(account=account, region=REGIONS[0]) for account in self.accounts))

    def _fill_account(self, account: str) -> inventory.Estate:
        filled = demo.fill(self.endpoint, account=account, regions=self.regions)
        iam = self._client(account, "iam", REGIONS[0])
        for role in _UNREADABLE_ROLES:
            iam.delete_role(RoleName=role)
        return filled

    def _move_rule(self, ec2: Any, group: str) -> None:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[_rule(self._round)])
        if self._round > 1:
            ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[_rule(self._round - 1)])

    def _replace_user(self, iam: Any, number: int) -> None:
        iam.create_user(UserName=f"changed-{number}-{self._round}")
        if self._round > 1:
            iam.delete_user(UserName=f"changed-{number}-{self._round - 1}")

    def _client(self, account: str, service: str, region: str) -> Any:
        return demo.client_of(boto3.Session(), self.endpoint, account, service, region)


_PROFILE: Final = """\
[profile bench-{account}]
region = {region}
aws_access_key_id = {account}
aws_secret_access_key = simulated
"""


def _share(resources: list[T]) -> Iterator[T]:
    """One in a hundred, from all over the list."""
    number = math.ceil(len(resources) * CHANGED_SHARE)
    return islice(resources, 0, None, len(resources) // number)


def _rule(round: int) -> dict[str, Any]:
    port = 20_000 + round
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "203.0.113.0/24"}]}
