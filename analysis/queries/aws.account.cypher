// nodes-by-label: How many nodes of each label does each account have
MATCH (account:AWSAccount)-[:RESOURCE]->(found)
RETURN account.id AS account, account.name AS name, labels(found)[0] AS label, count(*) AS found
ORDER BY account, label;

// unsynced-accounts: Which accounts are known but not synced: they have nothing but their root principal
MATCH (account:AWSAccount)
WHERE NOT EXISTS { (account)-[:RESOURCE]->(found) WHERE NOT found:AWSRootPrincipal }
RETURN account.id AS account, account.name AS name
ORDER BY account;
