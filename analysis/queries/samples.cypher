// unencrypted-databases: RDS instances that are not encrypted
MATCH (account:AWSAccount)-[:RESOURCE]->(database:RDSInstance)
WHERE NOT database.storage_encrypted
RETURN account.name AS account, database.region AS region, database.db_instance_identifier AS instance
ORDER BY account, region, instance;

// databases-per-account: RDS instances per account, encrypted or not
MATCH (account:AWSAccount)-[:RESOURCE]->(database:RDSInstance)
RETURN account.name AS account, database.storage_encrypted AS encrypted, count(*) AS instances
ORDER BY account, encrypted;

// directly-exposed-instances: Instances that are directly reachable from the internet
MATCH (account:AWSAccount)-[:RESOURCE]->(instance:EC2Instance {exposed_internet: true})
WHERE 'direct' IN instance.exposed_internet_type
RETURN account.name AS account, instance.region AS region, count(*) AS instances
ORDER BY account, region;

// instances-behind-classic-load-balancers: Instances behind a classic load balancer
MATCH (account:AWSAccount)-[:RESOURCE]->(balancer:LoadBalancer {exposed_internet: true})-[:EXPOSE]->(instance:EC2Instance)
RETURN account.name AS account, balancer.name AS balancer, count(instance) AS instances
ORDER BY account, balancer;

// instances-behind-load-balancers: Instances behind an application or network load balancer
MATCH (account:AWSAccount)-[:RESOURCE]->(balancer:LoadBalancerV2 {exposed_internet: true})-[:EXPOSE]->(instance:EC2Instance)
RETURN account.name AS account, balancer.name AS balancer, balancer.type AS type, count(instance) AS instances
ORDER BY account, balancer;

// exposed-auto-scaling-groups: Auto scaling groups with exposed instances
MATCH (account:AWSAccount)-[:RESOURCE]->(group:AutoScalingGroup {exposed_internet: true})
RETURN account.name AS account, group.name AS group, group.exposed_internet_type AS how
ORDER BY account, group;

// load-balancers-with-listeners: Load balancers of both generations, with their listeners
MATCH (account:AWSAccount)-[:RESOURCE]->(balancer)-[:ELB_LISTENER|ELBV2_LISTENER]->(listener:Endpoint)
WHERE balancer:LoadBalancer OR balancer:LoadBalancerV2
WITH account, balancer, listener ORDER BY listener.port
RETURN account.name AS account, balancer.name AS balancer, balancer.scheme AS scheme,
       coalesce(balancer.type, 'classic') AS type, collect(listener.protocol + ':' + listener.port) AS listeners
ORDER BY account, balancer;

// public-buckets: Buckets that anybody can use
MATCH (account:AWSAccount)-[:RESOURCE]->(bucket:S3Bucket {anonymous_access: true})
RETURN account.name AS account, bucket.name AS bucket, size(bucket.policy_anonymous_actions) > 0 AS by_policy,
       EXISTS { (acl:S3Acl)-[:APPLIES_TO]->(bucket) WHERE acl.uri IS NOT NULL } AS by_acl
ORDER BY account, bucket;

// private-buckets-per-account: Private buckets per account
MATCH (account:AWSAccount)-[:RESOURCE]->(bucket:S3Bucket {anonymous_access: false})
RETURN account.name AS account, count(*) AS buckets
ORDER BY account;

// cross-account-users: Roles that users of another account may assume
MATCH (home:AWSAccount)-[:RESOURCE]->(user:AWSUser)-[:STS_ASSUMEROLE_ALLOW]->(role:AWSRole)<-[:RESOURCE]-(account:AWSAccount)
WHERE home <> account
RETURN home.name AS home, user.name AS user, account.name AS account, role.name AS role
ORDER BY home, user, account, role;

// shared-key-pairs: Key pairs that are used in more than one account
MATCH (a:AWSAccount)-[:RESOURCE]->(pair:EC2KeyPair)-[:MATCHING_FINGERPRINT]-(:EC2KeyPair)
RETURN a.name AS account, pair.keyname AS key, pair.user_uploaded AS imported
ORDER BY account, key;

// scopes-not-seen: Scopes that were not seen, and why
MATCH (scope:SyncScope) WHERE scope.status IN ['denied', 'failed', 'quarantined']
RETURN scope.tenant AS account, scope.region AS region, scope.status AS status, count(*) AS types,
       head(collect(split(scope.reason, ' ')[0])) AS why
ORDER BY account, region;
