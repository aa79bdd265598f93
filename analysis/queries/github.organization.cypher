// two-factor-requirement: Which organizations are there, and do they require two factors
MATCH (organization:GitHubOrganization)
WHERE organization.username IS NOT NULL
RETURN organization.username AS organization, organization.two_factor_requirement_enabled AS two_factors_required,
       count { (:GitHubRepository)-[:OWNER]->(organization) } AS repositories
ORDER BY organization;

// owners: Who owns each organization
MATCH (user:GitHubUser)-[:ADMIN_OF]->(organization:GitHubOrganization)
RETURN organization.username AS organization, collect(user.username) AS owners
ORDER BY organization;
