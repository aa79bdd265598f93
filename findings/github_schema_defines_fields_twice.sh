#!/usr/bin/env bash
# GitHub's published GraphQL schema is no valid schema: EnterpriseOwnerInfo has two fields twice. The reference
# implementation's Python port refuses the whole document, so that nothing can be validated against it unless it is told
# to assume that the schema is valid (then the later definition counts). GitHub's own server serves it all the same.
# Seen with @octokit/graphql-schema 15.26.1 (npm) and graphql-core 3.2.8:
#   refused: Field 'EnterpriseOwnerInfo.repositoryDeployKeySetting' can only be defined once.
#   refused: Field 'EnterpriseOwnerInfo.repositoryDeployKeySettingOrganizations' can only be defined once.
#   assumed to be valid: Repository is there
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check graphql-core==3.2.8
npm pack --silent @octokit/graphql-schema@15.26.1 >/dev/null
tar xzf octokit-graphql-schema-15.26.1.tgz
venv/bin/python - package/schema.graphql <<'PYTHON'
import sys
from graphql import build_schema

text = open(sys.argv[1]).read()
try:
    build_schema(text)
except TypeError as error:
    refused = [line for line in str(error).splitlines() if line]
else:
    sys.exit("changed: the published schema is valid now")
for line in refused:
    print("refused:", line)
assert refused == [
    "Field 'EnterpriseOwnerInfo.repositoryDeployKeySetting' can only be defined once.",
    "Field 'EnterpriseOwnerInfo.repositoryDeployKeySettingOrganizations' can only be defined once.",
], refused
assert "Repository" in build_schema(text, assume_valid_sdl=True).type_map
print("assumed to be valid: Repository is there")
PYTHON
