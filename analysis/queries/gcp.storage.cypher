// public-buckets: Which buckets can anybody read, by their policies or by their ACLs
MATCH (project:GCPProject)-[:RESOURCE]->(bucket:GCPBucket)
WHERE (bucket.acl_public OR size(bucket.iam_public_roles) > 0)
  AND bucket.iam_config_public_access_prevention <> 'enforced'
RETURN bucket.id AS bucket, project.id AS project, bucket.iam_public_roles AS roles, bucket.acl_public AS by_acl
ORDER BY bucket;

// buckets-by-team: Which buckets have which value of the label `team`
MATCH (bucket:GCPBucket)-[:LABELED]->(label:GCPBucketLabel {key: 'team'})
RETURN label.value AS team, collect(bucket.id) AS buckets
ORDER BY team;
