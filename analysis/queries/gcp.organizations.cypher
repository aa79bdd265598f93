// organizations: Which organizations are there
MATCH (organization:GCPOrganization)
WHERE organization.displayname IS NOT NULL
RETURN organization.displayname AS organization, organization.id AS id, organization.lifecyclestate AS state
ORDER BY organization;

// folders-and-projects: Which folders and projects are in each organization, at any depth
MATCH path = (organization:GCPOrganization)-[:RESOURCE*1..5]->(below)
WHERE below:GCPFolder OR below:GCPProject
RETURN coalesce(below.displayname, below.id) AS below, organization.id AS organization, length(path) AS depth
ORDER BY depth, below;
