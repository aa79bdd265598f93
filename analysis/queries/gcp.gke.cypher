// exposed-clusters: Which clusters are reachable from the internet, and how
MATCH (project:GCPProject)-[:RESOURCE]->(cluster:GKECluster {exposed_internet: true})
RETURN cluster.name AS cluster, project.id AS project, cluster.endpoint AS endpoint, cluster.exposed_internet_type AS how
ORDER BY cluster;

// legacy-authentication: Which clusters have basic authentication or legacy ABAC enabled
MATCH (cluster:GKECluster)
WHERE cluster.basic_auth OR cluster.legacy_abac
RETURN cluster.name AS cluster, cluster.basic_auth AS password, cluster.legacy_abac AS legacy_rights
ORDER BY cluster;

// node-pools: Which node pools run as which service accounts
MATCH (cluster:GKECluster)-[:HAS_NODE_POOL]->(pool:GKENodePool)
OPTIONAL MATCH (pool)-[:RUNS_AS]->(account:GCPServiceAccount)
RETURN cluster.name AS cluster, pool.name AS pool, coalesce(account.email, pool.service_account_email, 'default') AS account
ORDER BY cluster, pool;
