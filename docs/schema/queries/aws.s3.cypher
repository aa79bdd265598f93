// Which buckets may anybody use, for what, and by policy or by access control list
MATCH (bucket:S3Bucket {anonymous_access: true})
RETURN bucket.name AS bucket, bucket.anonymous_actions AS actions,
       size(coalesce(bucket.policy_anonymous_actions, [])) > 0 AS by_policy,
       EXISTS { (acl:S3Acl)-[:APPLIES_TO]->(bucket) WHERE acl.uri ENDS WITH '/AllUsers' } AS by_acl
ORDER BY bucket;

// To whom else than its owner does an access control list give a bucket: accounts by their id, groups by their address
MATCH (acl:S3Acl)-[:APPLIES_TO]->(bucket:S3Bucket)
WHERE coalesce(acl.granteeid, '') <> coalesce(acl.ownerid, '')
RETURN bucket.name AS bucket, coalesce(acl.uri, acl.granteeid) AS grantee, acl.permission AS permission
ORDER BY bucket, permission;
