// exposed-clusters: Which clusters are reachable from the whole internet
MATCH (account:AWSAccount)-[:RESOURCE]->(cluster:EKSCluster {exposed_internet: true})
RETURN account.id AS account, cluster.name AS cluster, cluster.public_access_cidrs AS ranges
ORDER BY account, cluster;

// clusters-without-audit-log: Which clusters have no audit log
MATCH (cluster:EKSCluster)
WHERE NOT coalesce(cluster.audit_logging, false)
RETURN cluster.name AS cluster, cluster.region AS region
ORDER BY cluster;
