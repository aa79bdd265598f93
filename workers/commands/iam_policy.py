"""`chartfleet iam-policy`: the AWS permissions that the selected resource types need."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Final

from workers.commands.choice import one_of
from workers.report.exit_codes import COMPLETE

if TYPE_CHECKING:
    from workers.settings.settings import Settings

USES: Final = ("aws_requested_syncs", "aws_assume_role")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--account",
        type=one_of("spoke", "hub"),
        metavar="spoke|hub",
        default="spoke",
        help="spoke: an account that is synced; hub: the account that the workers run in (default: spoke)",
    )
    parser.add_argument(
        "--format",
        type=one_of("json", "cloudformation", "terraform"),
        metavar="json|cloudformation|terraform",
        default="json",
        help="format of the output (default: json)",
    )


def run(settings: Settings, args: argparse.Namespace) -> int:
    from tasks.aws.doctor.iam_policy import ROLE, Policies
    from tasks.aws.options import AwsOptions
    from tasks.engine import registry

    account: str = args.account
    form: str = args.format
    types = registry.requested("aws", settings.requested_syncs("aws"))
    policies = Policies(types=types, role=settings.options(AwsOptions).aws_assume_role or ROLE, hub=account == "hub")
    formats = {
        "json": policies.document,
        "cloudformation": policies.cloudformation,
        "terraform": policies.terraform,
    }
    print(json.dumps(formats[form](), indent=2))
    return COMPLETE
