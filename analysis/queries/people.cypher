// risky-extensions: Extensions with a risk over 200, and who installed them
MATCH (user:GSuiteUser)-[:INSTALLS]->(extension:ChromeExtension)
WHERE extension.risk_total > 200
RETURN extension.name AS extension, extension.version AS version, extension.risk_total AS risk, user.email AS user
ORDER BY risk DESC, user;

// role-holders-with-risky-extensions: Who can assume an AWS role through Okta and has a risky extension
MATCH (person:Human)-[:CAN_ASSUME_ROLE]->(role:AWSRole)
MATCH (person)-[:IDENTITY_GSUITE]->(:GSuiteUser)-[:INSTALLS]->(extension:ChromeExtension)
WHERE extension.risk_total > 200
RETURN person.email AS person, role.name AS role, extension.name AS extension
ORDER BY person;

// administrators-without-strong-factor: Super administrators without a phishing-resistant factor
MATCH (user:OktaUser)-[:MEMBER_OF_OKTA_ROLE]->(:OktaAdministrationRole {type: 'SUPER_ADMIN'})
WHERE NOT EXISTS { (user)-[:FACTOR]->(:OktaUserFactor {factor_type: 'webauthn', status: 'ACTIVE'}) }
RETURN user.login AS user, [(user)-[:FACTOR]->(factor:OktaUserFactor) | factor.factor_type] AS factors
ORDER BY user;

// organization-owners: Who owns a GitHub organization
MATCH (user:GitHubUser)-[:ADMIN_OF]->(organization:GitHubOrganization)
RETURN organization.username AS organization, user.username AS owner, user.has_2fa_enabled AS second_factor
ORDER BY organization, owner;

// public-repositories: Repositories that everyone can read
MATCH (repository:GitHubRepository)
WHERE NOT repository.private
RETURN repository.fullname AS repository, repository.defaultbranch AS branch,
       EXISTS { (repository)-[:HAS_RULE]->(:GitHubBranchProtectionRule) } AS protected
ORDER BY repository;

// exposed-gcp-instances: GCP instances that are reachable from the internet, and by which rules
MATCH (instance:GCPInstance {exposed_internet: true})<-[:FIREWALL_INGRESS]-(firewall:GCPFirewall)
RETURN instance.project_id AS project, instance.instancename AS instance, collect(firewall.name) AS rules
ORDER BY project, instance;

// roles-in-projects: Which roles GSuite users have in which projects
MATCH (user:GSuiteUser)-[:HAS_ALLOW_POLICY]->(binding:GCPPolicyBinding)
RETURN user.email AS user, binding.resource AS resource, binding.role AS role
ORDER BY user, resource;

// project-paths: Where each project is in the organization
MATCH path = (organization:GCPOrganization)-[:RESOURCE*]->(project:GCPProject)
RETURN project.id AS project, [node IN nodes(path)[..-1] | node.displayname] AS within
ORDER BY project;
