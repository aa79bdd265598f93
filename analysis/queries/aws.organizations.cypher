// account-paths: Which organizational units is each account in, at any depth
MATCH path = (root:AWSOrganizationRoot)-[:RESOURCE*1..6]->(account:AWSAccount)
WHERE all(between IN nodes(path)[1..-1] WHERE between:AWSOrganizationalUnit)
RETURN [unit IN nodes(path)[1..-1] | unit.name] AS units, account.id AS account, account.name AS name
ORDER BY units, account;

// management-accounts: Which account manages the organization, and are all features enabled
MATCH (organization:AWSOrganization)
RETURN organization.id AS organization, organization.management_account_id AS managed_by, organization.feature_set AS features;
