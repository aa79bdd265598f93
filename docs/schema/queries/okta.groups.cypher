// Which groups say in their names that they are roles of AWS
MATCH (group:OktaGroup)
WHERE group.aws_role_name IS NOT NULL
RETURN group.name AS group, group.aws_account_id AS account, group.aws_role_name AS role
ORDER BY group;

// How many are in each group
MATCH (group:OktaGroup)
RETURN group.name AS group, count { (:OktaUser)-[:MEMBER_OF_OKTA_GROUP]->(group) } AS members
ORDER BY members DESC, group;
