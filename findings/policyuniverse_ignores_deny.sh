#!/usr/bin/env bash
# policyuniverse 1.5.1.20231109: is_internet_accessible() looks at each Allow by itself. A Deny that shuts everybody out
# changes neither its answer nor the actions that it names, so that a bucket which nobody can read counts as open.
# Seen: open True, actions ['s3:GetObject']
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check policyuniverse==1.5.1.20231109
found=$("$work/venv/bin/python" - <<'PYTHON'
from policyuniverse.policy import Policy

allow, deny = {"Effect": "Allow", "Action": "s3:GetObject"}, {"Effect": "Deny", "Action": "*"}
statements = [{"Principal": "*", "Resource": "*", **one} for one in (allow, deny)]
policy = Policy({"Version": "2012-10-17", "Statement": statements})
print(f"open {policy.is_internet_accessible()}, actions {sorted(policy.internet_accessible_actions())}")
PYTHON
)
echo "policyuniverse 1.5.1.20231109: $found"
[ "$found" = "open True, actions ['s3:GetObject']" ]
