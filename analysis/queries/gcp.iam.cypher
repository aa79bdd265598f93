// keys-without-expiry: Which user-managed keys never expire
MATCH (account:GCPServiceAccount)-[:HAS_KEY]->(key:GCPServiceAccountKey {key_type: 'USER_MANAGED'})
WHERE key.valid_before_time STARTS WITH '9999'
RETURN account.email AS account, key.name AS key, key.valid_after_time AS since
ORDER BY account, key;

// service-account-roles: Which service accounts have which roles in a project
MATCH (account:GCPServiceAccount)-[:HAS_ALLOW_POLICY]->(binding:GCPPolicyBinding)-[:GRANTS_ROLE]->(role:GCPRole)
RETURN account.email AS account, binding.resource AS resource, role.id AS role
ORDER BY account, role;

// public-roles: Which roles are granted to everybody
MATCH (binding:GCPPolicyBinding {is_public: true})
RETURN binding.resource AS resource, binding.role AS role, binding.has_condition AS on_a_condition
ORDER BY resource, role;

// user-roles: Which roles do GSuite users have
MATCH (user:GSuiteUser)-[:HAS_ALLOW_POLICY]->(binding:GCPPolicyBinding)
RETURN user.email AS user, binding.resource AS resource, binding.role AS role
ORDER BY user, role;

// custom-roles: Which custom roles do projects have, and what do they allow
MATCH (project:GCPProject)-[:RESOURCE]->(role:GCPRole)
RETURN role.title AS role, project.id AS project, role.permissions AS permissions
ORDER BY role;
