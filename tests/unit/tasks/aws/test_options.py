from __future__ import annotations

import subprocess
import sys

import botocore.session
import pytest

from tasks.aws.options import AwsOptions, check_accounts, check_name_server, check_regions, check_role


@pytest.mark.parametrize(
    ("options", "name", "problem"),
    [
        (AwsOptions(aws_assume_role="Reader", aws_sync_all_profiles=True), "aws_assume_role", "can't be combined"),
        (AwsOptions(aws_external_id="x"), "aws_external_id", "needs aws_assume_role"),
    ],
)
def test_there_is_one_way_to_find_accounts(options: AwsOptions, name: str, problem: str) -> None:
    conflict = options.conflicts()
    assert conflict is not None
    assert conflict[0] == name
    assert problem in conflict[1]


def test_options_that_go_together() -> None:
    assert AwsOptions(aws_assume_role="Reader", aws_external_id="x").conflicts() is None
    assert AwsOptions(aws_sync_all_profiles=True, aws_regions=("eu-west-1",)).conflicts() is None


def test_a_role_is_given_by_its_name() -> None:
    assert check_role("audit/Reader") is None
    assert check_role("arn:aws:iam::123456789012:role/Reader")


def test_accounts_regions_and_name_servers() -> None:
    assert check_accounts(("123",)) == "'123' is not an account number of 12 digits"
    assert check_accounts(("123456789012",)) is None
    assert check_regions(("eu-west-1", "cn-north-1", "mars-1")) == "'mars-1' is not an AWS region"
    assert check_name_server("10.0.0.2:5353") is None
    assert check_name_server("somewhere:70000")


def test_regions_are_those_in_which_botocore_knows_ec2() -> None:
    session = botocore.session.Session()
    every = [
        region for each in ("aws", "aws-cn", "aws-us-gov") for region in session.get_available_regions("ec2", each)
    ]
    assert len(every) > 30
    assert check_regions(tuple(every)) is None
    assert check_regions(("aws-global",)) == "'aws-global' is not an AWS region"


def test_checking_them_needs_no_session() -> None:
    check = (
        "import sys; from tasks.aws.options import check_regions; check_regions(('eu-west-1',)); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert {"botocore.session", "botocore.loaders"}.isdisjoint(done.stdout.split())
