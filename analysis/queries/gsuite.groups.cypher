// nested-members: Who is in each group, directly or through nested groups
MATCH (user:GSuiteUser)-[:MEMBER_GSUITE_GROUP*1..5]->(group:GSuiteGroup)
RETURN group.email AS group, collect(DISTINCT user.email) AS members
ORDER BY group;

// nested-groups: Which groups are members of which groups
MATCH (inner:GSuiteGroup)-[:MEMBER_GSUITE_GROUP]->(outer:GSuiteGroup)
RETURN inner.email AS inner, outer.email AS outer
ORDER BY outer, inner;

// groups-of-everybody: Which groups contain the whole organization, and which roles does everybody have through them
MATCH (group:GSuiteGroup {has_everybody: true})
RETURN group.email AS group, [(group)-[:HAS_ALLOW_POLICY]->(binding:GCPPolicyBinding) | binding.role + ' in ' + binding.resource] AS roles
ORDER BY group;
