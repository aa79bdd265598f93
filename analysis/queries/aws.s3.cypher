// public-buckets: Which buckets can anybody use, for which actions, and is that by policy or by access control list
MATCH (bucket:S3Bucket {anonymous_access: true})
RETURN bucket.name AS bucket, bucket.anonymous_actions AS actions,
       size(coalesce(bucket.policy_anonymous_actions, [])) > 0 AS by_policy,
       EXISTS { (acl:S3Acl)-[:APPLIES_TO]->(bucket) WHERE acl.uri ENDS WITH '/AllUsers' } AS by_acl
ORDER BY bucket;

// acl-grants: Who besides the owner has access by a bucket's access control list: accounts by their id, groups by their URI
MATCH (acl:S3Acl)-[:APPLIES_TO]->(bucket:S3Bucket)
WHERE coalesce(acl.granteeid, '') <> coalesce(acl.ownerid, '')
RETURN bucket.name AS bucket, coalesce(acl.uri, acl.granteeid) AS grantee, acl.permission AS permission
ORDER BY bucket, permission;

// public-access-blocks: Which settings block public access to each bucket, its own or its account's
MATCH (account:AWSAccount)-[:RESOURCE]->(bucket:S3Bucket)
OPTIONAL MATCH (block:S3AccountPublicAccessBlock {id: account.id})
RETURN account.id AS account, bucket.name AS bucket, bucket.object_ownership AS ownership,
       bucket.ignore_public_acls OR block.ignore_public_acls AS ignores_acls,
       bucket.restrict_public_buckets OR block.restrict_public_buckets AS restricts_policies
ORDER BY account, bucket;

// unversioned-unlogged-buckets: Which buckets have neither versioning nor access logs
MATCH (bucket:S3Bucket)
WHERE bucket.versioning_status <> 'Enabled' AND NOT bucket.logging_enabled
RETURN bucket.name AS bucket, bucket.region AS region, bucket.versioning_status AS versioning
ORDER BY bucket;

// bucket-keys: Which key is each bucket encrypted with
MATCH (bucket:S3Bucket)-[:ENCRYPTED_BY]->(key:KMSKey)
RETURN bucket.name AS bucket, bucket.encryption_algorithm AS algorithm, key.arn AS key
ORDER BY bucket;

// policy-statements: What does each statement of a bucket's policy allow, and to whom
MATCH (bucket:S3Bucket)-[:POLICY_STATEMENT]->(statement:S3PolicyStatement {effect: 'Allow'})
RETURN bucket.name AS bucket, statement.principal AS principal, statement.action AS action,
       statement.condition IS NOT NULL AS under_conditions
ORDER BY bucket;
