"""The options of AWS."""

from __future__ import annotations

import ipaddress
import json
import re
from importlib import resources
from typing import Final

from tasks.options import ProviderOptions, option

_PARTITIONS: Final = ("aws", "aws-cn", "aws-us-gov")
NOBODY: Final = "none"  # the value of aws_name_server that disables resolving
_NAME_SERVER: Final = re.compile(
    r"\[(?P<v6>[^\]]+)\](:(?P<v6_port>\d+))?|(?P<v4>[^:]+)(:(?P<v4_port>\d+))?|(?P<bare>.+)"
)


def check_regions(value: tuple[str, ...]) -> str | None:
    """By botocore's list of partitions. Most processes of a fleet check the options, and never call AWS: botocore's
    session would take each of them 0.2 s of CPU time and 25 MB.
    """
    listed = (resources.files("botocore") / "data" / "partitions.json").read_bytes()
    partitions = [each for each in json.loads(listed)["partitions"] if each["id"] in _PARTITIONS]
    known = {region for each in partitions for region in each["regions"] if not region.endswith("-global")}
    wrong = [region for region in value if region not in known]
    return f"{wrong[0]!r} is not an AWS region" if wrong else None


def check_role(value: str) -> str | None:
    if re.fullmatch(r"([\w+=,.@-]+/)*[\w+=,.@-]{1,64}", value):
        return None
    return "must be a role name, with its path if it has one (audit/Reader), not an ARN: every account has this role"


def check_accounts(value: tuple[str, ...]) -> str | None:
    wrong = [account for account in value if not re.fullmatch(r"\d{12}", account)]
    return f"{wrong[0]!r} is not an account number of 12 digits" if wrong else None


def check_name_server(value: str) -> str | None:
    if value == NOBODY:
        return None
    try:
        name_server_address(value)
    except ValueError:
        return f"must be the address of a name server (10.0.0.2, 10.0.0.2:5353, [fd00::2]:5353), or {NOBODY}"
    return None


def name_server_address(text: str) -> tuple[str, int]:
    """Address and port of a name server. Raises ValueError."""
    parts = _NAME_SERVER.fullmatch(text)
    if not parts:
        raise ValueError(text)
    address = parts["v6"] or parts["v4"] or parts["bare"]
    port = int(parts["v6_port"] or parts["v4_port"] or 53)
    if not 0 < port < 2**16:
        raise ValueError(text)
    return str(ipaddress.ip_address(address)), port


class AwsOptions(ProviderOptions):
    aws_regions: tuple[str, ...] = option(
        "regions to sync, instead of all that are enabled in the account",
        default=(),
        check=check_regions,
        metavar="REGION,...",
    )
    aws_sync_all_profiles: bool = option(
        "sync the accounts of all named AWS profiles except `default`, instead of the default credentials' account",
        default=False,
        access=True,
    )
    aws_assume_role: str | None = option(
        "sync every account of the organization: the default credentials list them, and assume this role (a name, "
        "not an ARN) in each",
        default=None,
        check=check_role,
        access=True,
        metavar="ROLE",
    )
    aws_external_id: str | None = option(
        "external ID that the role of aws_assume_role requires",
        default=None,
        access=True,
        metavar="ID",
    )
    aws_organization_account_ids: tuple[str, ...] = option(
        "accounts from which the organization is read, instead of trying each",
        default=(),
        check=check_accounts,
        metavar="ACCOUNT,...",
    )
    aws_name_server: str | None = option(
        "name server at which workers resolve the names of search domains (10.0.0.2, 10.0.0.2:5353), instead of the "
        "machine's own; `none` resolves nothing",
        default=None,
        check=check_name_server,
        access=True,
        metavar="ADDRESS",
    )
    aws_best_effort_mode: bool = option(
        "accepted, without effect: an account that fails never stops the others",
        default=False,
        note="always on: an account that fails is reported, and never stops the others",
    )

    def conflicts(self) -> tuple[str, str] | None:
        """There is one way to find the accounts, and the external ID belongs to one of them."""
        if self.aws_assume_role and self.aws_sync_all_profiles:
            return "aws_assume_role", "can't be combined with aws_sync_all_profiles: choose one way to find accounts"
        if self.aws_external_id and not self.aws_assume_role:
            return (
                "aws_external_id",
                "needs aws_assume_role; a profile has its own external_id in the AWS configuration",
            )
        return None


OPTIONS: Final = AwsOptions
