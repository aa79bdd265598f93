#!/usr/bin/env bash
# graphql-core 3.3 changed what its syntax trees hold: a field without arguments had an empty tuple under `arguments` up to
# 3.2, and has None since. The documented way to walk a query (`for argument in node.arguments`) raises on the first field
# without any, as does changing a node in place, since nodes are frozen. Neither is met at import or by type checks of 3.2.
# Seen: 3.2.8 arguments (), changed in place; 3.3.2 arguments None, FrozenInstanceError
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
seen() {
  python3 -m venv "$1"
  "$1/bin/pip" install --quiet --disable-pip-version-check "graphql-core==$1"
  "$1/bin/python" - <<'PYTHON'
from graphql import parse

[operation] = parse("{ organization { login } }").definitions
[field] = operation.selection_set.selections
told = f"arguments {field.arguments!r}, "
try:
    field.arguments = ()
    print(told + "changed in place")
except Exception as error:
    print(told + type(error).__name__)
PYTHON
}
old=$(seen 3.2.8) new=$(seen 3.3.2)
echo "3.2.8: $old"
echo "3.3.2: $new"
test "$old" = "arguments (), changed in place"
test "$new" = "arguments None, FrozenInstanceError"
