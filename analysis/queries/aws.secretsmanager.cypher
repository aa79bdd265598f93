// unrotated-secrets: Which secrets are never rotated
MATCH (account:AWSAccount)-[:RESOURCE]->(secret:SecretsManagerSecret)
WHERE NOT coalesce(secret.rotation_enabled, false)
RETURN account.id AS account, secret.name AS secret, coalesce(secret.last_accessed_date, 'never') AS last_used
ORDER BY account, secret;

// secret-keys: Which keys are secrets encrypted with
MATCH (secret:SecretsManagerSecret)-[:ENCRYPTED_BY]->(key:KMSKey)
RETURN secret.name AS secret, key.arn AS key
ORDER BY secret;
