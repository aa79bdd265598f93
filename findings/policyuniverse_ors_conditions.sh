#!/usr/bin/env bash
# policyuniverse 1.5.1.20231109 calls a statement open where any one entry of its Condition is; AWS ANDs the keys.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
# A usual policy for roles of an organization (an organization AND a pattern of role names) is therefore "internet
# accessible".
# Seen: organization: False, organization AND roles: True
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check policyuniverse==1.5.1.20231109
found=$("$work/venv/bin/python" - <<'PYTHON'
from policyuniverse.policy import Policy

ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}
ROLES = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/reader"}}


def is_open(condition):
    read = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
    return Policy({"Version": "2012-10-17", "Statement": [read | {"Condition": condition}]}).is_internet_accessible()


print(f"organization: {is_open(ORGANIZATION)}, organization AND roles: {is_open(ORGANIZATION | ROLES)}")
PYTHON
)
echo "policyuniverse 1.5.1.20231109, is_internet_accessible: $found"
[ "$found" = "organization: False, organization AND roles: True" ]
