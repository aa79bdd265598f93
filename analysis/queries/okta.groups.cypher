// groups-of-aws-roles: Which groups stand for AWS roles, by their names
MATCH (group:OktaGroup)
WHERE group.aws_role_name IS NOT NULL
RETURN group.name AS group, group.aws_account_id AS account, group.aws_role_name AS role
ORDER BY group;

// group-sizes: How many members does each group have
MATCH (group:OktaGroup)
RETURN group.name AS group, count { (:OktaUser)-[:MEMBER_OF_OKTA_GROUP]->(group) } AS members
ORDER BY members DESC, group;
