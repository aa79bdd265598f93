#!/usr/bin/env bash
# policyuniverse 1.5.1.20231109 reads two condition keys upside down. S3 counts only fixed values as a limit:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
# - aws:userid: one exact id is "internet accessible", the prefix that every role of the world has (AROA*) isn't;
# - aws:SourceArn: any S3 ARN is a limit, also arn:aws:s3:::*, which is everybody's buckets.
# Seen: exact id: True, AROA*: False, arn:aws:s3:::*: False
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check policyuniverse==1.5.1.20231109
found=$("$work/venv/bin/python" - <<'PYTHON'
from policyuniverse.statement import Statement


def is_open(operator, key, value):
    send = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sqs:SendMessage", "Resource": "*"}
    return Statement(send | {"Condition": {operator: {key: value}}}).is_internet_accessible()


print(
    f"exact id: {is_open('StringEquals', 'aws:userid', 'AIDAABCDEFGHIJKLMNOPQ')}, "
    f"AROA*: {is_open('StringLike', 'aws:userid', 'AROA*')}, "
    f"arn:aws:s3:::*: {is_open('ArnLike', 'aws:SourceArn', 'arn:aws:s3:::*')}"
)
PYTHON
)
echo "policyuniverse 1.5.1.20231109, is_internet_accessible: $found"
[ "$found" = "exact id: True, AROA*: False, arn:aws:s3:::*: False" ]
