// public-domains: Which search domains can anybody use
MATCH (account:AWSAccount)-[:RESOURCE]->(domain:ESDomain {exposed_internet: true})
RETURN account.id AS account, domain.name AS domain, domain.endpoint AS endpoint, domain.policy_anonymous_actions AS actions
ORDER BY account, domain;

// domains-in-vpcs: Which search domains are in a VPC, and which security groups protect them
MATCH (domain:ESDomain)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(group:EC2SecurityGroup)
RETURN domain.name AS domain, collect(group.id) AS groups
ORDER BY domain;
