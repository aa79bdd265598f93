#!/usr/bin/env bash
# botocore 1.40.61: a text in the place of a list of a JSON response is read letter by letter, and an object key by key.
#
# The parser goes through whatever is there, and doesn't compare it with the model. In XML, a text in the place of a
# list is an empty list. A response that is malformed reads as a list of other things, or as "there are none".
#
# Seen:
#   {"TableNames": "logs"}: ['l', 'o', 'g', 's']
#   {"TableNames": {"error": 1}}: ['error']
#   <Users>maintenance</Users>: []
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check botocore==1.40.61
"$folder/venv/bin/python" - <<'PYTHON'
import botocore.session
from botocore.parsers import create_parser


def parsed(service, operation, body):
    model = botocore.session.get_session().get_service_model(service)
    response = {"status_code": 200, "headers": {}, "body": body, "context": {}}
    return create_parser(model.metadata["protocol"]).parse(response, model.operation_model(operation).output_shape)


text = parsed("dynamodb", "ListTables", b'{"TableNames": "logs"}')["TableNames"]
keys = parsed("dynamodb", "ListTables", b'{"TableNames": {"error": 1}}')["TableNames"]
body = b"<ListUsersResponse><ListUsersResult><Users>maintenance</Users></ListUsersResult></ListUsersResponse>"
users = parsed("iam", "ListUsers", body)["Users"]
print('{"TableNames": "logs"}:', text)
print('{"TableNames": {"error": 1}}:', keys)
print("<Users>maintenance</Users>:", users)
assert text == ["l", "o", "g", "s"] and keys == ["error"] and users == []
PYTHON
