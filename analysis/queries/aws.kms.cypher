// aliases: Which aliases does each key have
MATCH (alias:KMSAlias)-[:KNOWN_AS]->(key:KMSKey)
RETURN key.id AS key, collect(alias.alias_name) AS names
ORDER BY key;

// public-keys: Which keys can anybody use
MATCH (account:AWSAccount)-[:RESOURCE]->(key:KMSKey {anonymous_access: true})
RETURN account.id AS account, key.arn AS key, key.anonymous_actions AS actions
ORDER BY account, key;
