// What each account holds: how many of which label
MATCH (account:AWSAccount)-[:RESOURCE]->(found)
RETURN account.id AS account, account.name AS name, labels(found)[0] AS label, count(*) AS found
ORDER BY account, label;

// Which accounts are known, and not synced: nothing hangs on them but their root
MATCH (account:AWSAccount)
WHERE NOT EXISTS { (account)-[:RESOURCE]->(found) WHERE NOT found:AWSRootPrincipal }
RETURN account.id AS account, account.name AS name
ORDER BY account;
