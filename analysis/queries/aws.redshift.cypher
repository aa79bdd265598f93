// exposed-or-unencrypted-clusters: Which clusters have a public address, or are not encrypted
MATCH (cluster:RedshiftCluster)
WHERE cluster.publicly_accessible OR NOT coalesce(cluster.encrypted, false)
RETURN cluster.cluster_identifier AS cluster, cluster.region AS region
ORDER BY cluster;

// cluster-roles: Which roles can each cluster assume
MATCH (cluster:RedshiftCluster)-[:STS_ASSUMEROLE_ALLOW]->(role:AWSPrincipal)
RETURN cluster.cluster_identifier AS cluster, collect(role.arn) AS roles
ORDER BY cluster;
