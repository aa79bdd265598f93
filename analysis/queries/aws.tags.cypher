// production-resources: How many resources of each kind are tagged as production
MATCH (resource)-[:TAGGED]->(tag:AWSTag {key: 'env', value: 'prod'})
RETURN labels(resource)[0] AS kind, count(*) AS resources
ORDER BY kind;

// tags-in-use: Which tags are there, and how often is each used
MATCH (tag:AWSTag)
OPTIONAL MATCH (resource)-[:TAGGED]->(tag)
RETURN tag.key AS key, tag.value AS value, count(resource) AS resources
ORDER BY resources DESC, key, value;
