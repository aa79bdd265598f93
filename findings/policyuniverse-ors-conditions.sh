#!/usr/bin/env bash
# policyuniverse 1.5.1.20231109 calls a statement open where any one entry of its Condition is; AWS ANDs the keys.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
# A usual policy for roles of an organization (an organization AND a pattern of role names) is therefore "internet
# accessible". The other way about, an operator with IfExists, which an anonymous caller fulfils, counts as a limit.
# Seen: organization: False, organization AND roles: True, VPC endpoint if there is one: False
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check policyuniverse==1.5.1.20231109
found=$("$work/venv/bin/python" - <<'PYTHON'
from policyuniverse.policy import Policy

ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}
ROLES = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/reader"}}
ENDPOINT = {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}


def is_open(condition):
    read = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
    return Policy({"Version": "2012-10-17", "Statement": [read | {"Condition": condition}]}).is_internet_accessible()


print(
    f"organization: {is_open(ORGANIZATION)}, organization AND roles: {is_open(ORGANIZATION | ROLES)}, "
    f"VPC endpoint if there is one: {is_open(ENDPOINT)}"
)
PYTHON
)
echo "policyuniverse 1.5.1.20231109, is_internet_accessible: $found"
[ "$found" = "organization: False, organization AND roles: True, VPC endpoint if there is one: False" ]
