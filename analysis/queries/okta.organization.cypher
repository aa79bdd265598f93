// organizations: Which organizations are there, and how many users, groups and applications does each have
MATCH (organization:OktaOrganization)
RETURN organization.name AS organization, organization.company_name AS company,
       count { (organization)-[:RESOURCE]->(:OktaUser) } AS users,
       count { (organization)-[:RESOURCE]->(:OktaGroup) } AS groups,
       count { (organization)-[:RESOURCE]->(:OktaApplication) } AS applications
ORDER BY organization;

// administrator-roles: Which administrator roles are in use
MATCH (organization:OktaOrganization)-[:RESOURCE]->(role:OktaAdministrationRole)
RETURN organization.name AS organization, role.label AS role, role.type AS type
ORDER BY organization, role;
