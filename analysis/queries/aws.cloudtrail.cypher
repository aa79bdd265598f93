// accounts-with-trail: Which accounts have a trail that is on, and logs all management events of all regions
MATCH (account:AWSAccount)-[:RESOURCE]->(trail:CloudTrailTrail {is_multi_region_trail: true, is_logging: true})
MATCH (own:CloudTrailTrail {arn: trail.arn})
WHERE own.logs_management_reads AND own.logs_management_writes
RETURN DISTINCT account.id AS account, trail.arn AS trail
ORDER BY account, trail;

// buckets: To which buckets do trails log, and is access to those logged as well
MATCH (trail:CloudTrailTrail)-[:LOGS_TO]->(bucket:S3Bucket)
RETURN trail.arn AS trail, bucket.name AS bucket, bucket.logging_enabled AS access_logged
ORDER BY trail;
