#!/usr/bin/env bash
# In GitHub's published schema `User.email` is `String!`, though most users show none, and a token may not read it
# without a scope. So a server that refuses the field for one user can't answer null in its place: by the rules of
# GraphQL the null goes up to the next place that may be null, and that is the whole edge, as `node` of a collaborator's
# edge is `User!` too. Who reads `edges[].node` gets null for a person with access, because of his e-mail address. Among
# an organization's members the edge stays (there `node` may be null) and loses the person.
# Seen with @octokit/graphql-schema 15.26.1 (npm) and graphql-core 3.2.8, which runs the schema with made-up data:
#   collaborators: [None, {'permission': 'READ', 'node': {'login': 'grace'}}]
#   members: [{'role': 'ADMIN', 'node': None}, {'role': 'MEMBER', 'node': {'login': 'grace'}}]
#   the error's path: ['repository', 'collaborators', 'edges', 0, 'node', 'email']
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
from graphql import GraphQLError, build_schema, graphql_sync


def refused(*_):
    raise GraphQLError("this token may not read it")


ada, grace = {"login": "ada", "email": refused}, {"login": "grace", "email": ""}
collaborators = {"edges": [{"permission": "ADMIN", "node": ada}, {"permission": "READ", "node": grace}]}
members = {"edges": [{"role": "ADMIN", "node": ada}, {"role": "MEMBER", "node": grace}]}
data = {"repository": {"collaborators": collaborators}, "organization": {"membersWithRole": members}}
query = """{
  repository(owner: "example", name: "web") { collaborators { edges { permission node { login email } } } }
  organization(login: "example") { membersWithRole { edges { role node { login email } } } }
}"""
schema = build_schema(open(sys.argv[1]).read(), assume_valid_sdl=True)
found = graphql_sync(schema, query, data)


def shown(edges):
    for edge in edges:
        if edge and edge["node"]:
            del edge["node"]["email"]
    return edges


collaborators = shown(found.data["repository"]["collaborators"]["edges"])
members = shown(found.data["organization"]["membersWithRole"]["edges"])
path = next(error.path for error in found.errors if error.path[0] == "repository")
print("collaborators:", collaborators)
print("members:", members)
print("the error's path:", path)
assert collaborators == [None, {"permission": "READ", "node": {"login": "grace"}}]
assert members == [{"role": "ADMIN", "node": None}, {"role": "MEMBER", "node": {"login": "grace"}}]
assert path == ["repository", "collaborators", "edges", 0, "node", "email"]
PYTHON
