// members-without-second-factor: Which members have no second factor
MATCH (user:GitHubUser)-[:MEMBER_OF]->(organization:GitHubOrganization)
WHERE user.has_2fa_enabled = false
RETURN user.username AS user, organization.username AS organization, user.role AS role
ORDER BY user;

// members: Who is a member of which organization
MATCH (user:GitHubUser)-[:MEMBER_OF]->(organization:GitHubOrganization)
RETURN user.username AS user, collect(organization.username) AS organizations
ORDER BY user;
