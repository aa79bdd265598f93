// who-may-assume-roles: Who may assume which role, and is that subject to conditions
MATCH (source:AWSPrincipal)-[may:STS_ASSUMEROLE_ALLOW]->(role:AWSRole)
RETURN source.arn AS who, role.arn AS role, may.conditions IS NOT NULL AS under_conditions
ORDER BY who, role;

// roles-trusting-outsiders: Which roles trust a principal outside of their own account
MATCH (role:AWSRole)-[:TRUSTS_AWS_PRINCIPAL]->(named:AWSPrincipal {type: 'AWS'})
WHERE named.arn = '*' OR NOT named.arn CONTAINS split(role.arn, ':')[4]
RETURN role.arn AS role, collect(named.arn) AS trusts
ORDER BY role;

// administrators: Who may do anything, or anything except what a statement names
MATCH (principal:AWSPrincipal)-[:POLICY]->(policy:AWSPolicy)-[:STATEMENT]->(statement:AWSPolicyStatement {effect: 'Allow'})
WHERE statement.notaction IS NOT NULL OR any(action IN statement.action WHERE action = '*')
RETURN principal.arn AS who, policy.name AS policy, coalesce(statement.notaction, []) AS but_for,
       statement.condition IS NOT NULL AS under_conditions
ORDER BY who, policy;

// oldest-access-keys: Which active access keys are the oldest
MATCH (user:AWSUser)-[:AWS_ACCESS_KEY]->(key:AccountAccessKey {status: 'Active'})
RETURN user.name AS user, key.accesskeyid AS key, key.createdate AS since
ORDER BY since LIMIT 25;

// unused-access-keys: Which active access keys were not used this year, or never
MATCH (user:AWSUser)-[:AWS_ACCESS_KEY]->(key:AccountAccessKey {status: 'Active'})
WHERE coalesce(key.lastuseddate, '') < toString(date().year)
RETURN user.name AS user, key.accesskeyid AS key, key.lastuseddate AS last_used, key.lastusedservice AS service
ORDER BY last_used, user;

// instance-roles: Which role can each instance act as
MATCH (instance:EC2Instance)-[:INSTANCE_PROFILE]->(profile:AWSInstanceProfile)-[:ASSOCIATED_WITH]->(role:AWSRole)
RETURN instance.id AS instance, profile.instance_profile_name AS profile, role.arn AS role
ORDER BY instance;

// federated-roles: Which roles trust the users of an identity provider
MATCH (role:AWSRole)-[:TRUSTS_AWS_PRINCIPAL]->(provider:AWSPrincipal {type: 'Federated'})
RETURN provider.arn AS provider, labels(provider) AS kind, collect(role.arn) AS roles
ORDER BY provider;

// root-credentials: Where does the root user have access keys, or no second factor
MATCH (account:AWSAccount)
WHERE account.account_access_keys_present > 0 OR account.account_mfa_enabled = 0
RETURN account.id AS account, account.account_access_keys_present > 0 AS access_keys, account.account_mfa_enabled > 0 AS second_factor
ORDER BY account;

// second-factors: Which second factors does each user have who may sign in with a password
MATCH (user:AWSUser {password_enabled: true})
OPTIONAL MATCH (user)-[:MFA_DEVICE]->(device:MfaDevice)
RETURN user.name AS user, collect(device.kind) AS second_factors
ORDER BY user;

// expired-certificates: Which certificates in IAM have expired
MATCH (account:AWSAccount)-[:RESOURCE]->(certificate:AWSServerCertificate)
WHERE certificate.expiration < toString(datetime())
RETURN account.id AS account, certificate.server_certificate_name AS certificate, certificate.expiration AS since
ORDER BY since;
