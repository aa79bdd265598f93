#!/usr/bin/env bash
# policyuniverse 1.5.1.20231109: a policy may be open to the internet, and yet name no action that is. A statement with
# NotAction allows nearly everything and has no `actions`; a tool that asks internet_accessible_actions() alone (as those
# do that fill `anonymous_actions` of a bucket) reports an empty list of what strangers may do. And a Deny that shuts
# everybody out changes neither answer: is_internet_accessible() looks at each Allow by itself.
# Seen: NotAction: open True, actions []; shut by Deny: open True, actions ['s3:GetObject']
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check policyuniverse==1.5.1.20231109
found=$("$work/venv/bin/python" - <<'PYTHON'
from policyuniverse.policy import Policy


def said(*statements):
    policy = Policy({"Version": "2012-10-17", "Statement": [{"Principal": "*", "Resource": "*", **s} for s in statements]})
    return f"open {policy.is_internet_accessible()}, actions {sorted(policy.internet_accessible_actions())}"


nearly_all = {"Effect": "Allow", "NotAction": "s3:DeleteBucket"}
print(f"NotAction: {said(nearly_all)}; shut by Deny: ", end="")
print(said({"Effect": "Allow", "Action": "s3:GetObject"}, {"Effect": "Deny", "Action": "*"}))
PYTHON
)
echo "policyuniverse 1.5.1.20231109: $found"
[ "$found" = "NotAction: open True, actions []; shut by Deny: open True, actions ['s3:GetObject']" ]
