#!/usr/bin/env bash
# parliament 1.6.4, a linter of IAM policies, refuses conditions that AWS documents and takes:
# - aws:SourceIp with a range of IPv6 is a "MISMATCHED_TYPE" (its type Ip is IPv4 only);
# - the global keys aws:SourceOrgID and aws:VpceAccount are "UNKNOWN_CONDITION_FOR_ACTION".
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
# Seen: IPv6: ['MISMATCHED_TYPE'], SourceOrgID: ['UNKNOWN_CONDITION_FOR_ACTION'], VpceAccount:
# ['UNKNOWN_CONDITION_FOR_ACTION']
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check parliament==1.6.4 'setuptools<81'
found=$("$work/venv/bin/python" -W ignore - <<'PYTHON'
import json

import parliament


def issues(operator, key, value):
    read = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
    policy = {"Version": "2012-10-17", "Statement": [read | {"Condition": {operator: {key: value}}}]}
    return [finding.issue for finding in parliament.analyze_policy_string(json.dumps(policy)).findings]


print(
    f"IPv6: {issues('IpAddress', 'aws:SourceIp', '2001:db8::/32')}, "
    f"SourceOrgID: {issues('StringEquals', 'aws:SourceOrgID', 'o-1234567890')}, "
    f"VpceAccount: {issues('StringEquals', 'aws:VpceAccount', '111122223333')}"
)
PYTHON
)
echo "parliament 1.6.4: $found"
new="['UNKNOWN_CONDITION_FOR_ACTION']"
[ "$found" = "IPv6: ['MISMATCHED_TYPE'], SourceOrgID: $new, VpceAccount: $new" ]
