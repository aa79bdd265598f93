// exposed-instances: Which instances does the internet reach, and how: directly, or through a load balancer
MATCH (account:AWSAccount)-[:RESOURCE]->(instance:EC2Instance {exposed_internet: true})
RETURN account.name AS account, instance.region AS region, instance.id AS instance, instance.exposed_internet_type AS how
ORDER BY account, region, instance;

// open-security-groups: What does each group let in from anywhere, and for how many instances
MATCH (anywhere:IpRange {wide: true})-[:MEMBER_OF_IP_RULE]->(rule:IpPermissionInbound)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(group:EC2SecurityGroup)
RETURN group.id AS security_group, rule.protocol AS protocol, coalesce(rule.fromport, 0) AS first, coalesce(rule.toport, 65535) AS last,
       collect(anywhere.range) AS from, COUNT { (group)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(:EC2Instance) } AS instances
ORDER BY security_group, first;

// rules-with-prefix-lists: Which rules use a prefix list, and does the list let in the whole internet
MATCH (rule:IpPermissionInbound)-[:REFERENCES_PREFIX_LIST]->(list:EC2ManagedPrefixList)
WHERE list.prefix_list_id IS NOT NULL
RETURN rule.groupid AS security_group, rule.protocol AS protocol, list.name AS prefix_list, list.owner_id AS owner, list.cidrs AS addresses, list.wide AS anybody
ORDER BY security_group, prefix_list;

// key-pairs: Which instances does a key pair open, and where else is the same key, under other names or in other accounts
MATCH (pair:EC2KeyPair)-[:SSH_LOGIN_TO]->(instance:EC2Instance)
OPTIONAL MATCH (pair)-[:MATCHING_FINGERPRINT]-(twin:EC2KeyPair)
RETURN pair.arn AS key, collect(DISTINCT instance.id) AS opens, collect(DISTINCT twin.arn) AS same_key
ORDER BY key;

// subnet-contents: What is in each subnet of a VPC
MATCH (vpc:AWSVpc)<-[:MEMBER_OF_AWS_VPC]-(subnet:EC2Subnet)
RETURN vpc.id AS vpc, vpc.primary_cidr_block AS block, subnet.id AS subnet, subnet.availability_zone AS zone,
       COUNT { (subnet)<-[:PART_OF_SUBNET]-(:EC2Instance) } AS instances,
       COUNT { (subnet)<-[:PART_OF_SUBNET]-(:NetworkInterface) } AS interfaces
ORDER BY vpc, subnet;

// unencrypted-volumes: Which volumes are not encrypted, and which instances use them
MATCH (volume:EBSVolume {encrypted: false})
OPTIONAL MATCH (volume)-[:ATTACHED_TO]->(instance:EC2Instance)
RETURN volume.id AS volume, volume.region AS region, collect(instance.id) AS instances
ORDER BY volume;

// public-snapshots: Which snapshots can everybody restore, and does the region block that
MATCH (account:AWSAccount)-[:RESOURCE]->(snapshot:EBSSnapshot {ispublic: true})
OPTIONAL MATCH (account)-[:RESOURCE]->(settings:EBSSettings {region: snapshot.region})
RETURN snapshot.id AS snapshot, snapshot.volumeid AS volume, snapshot.encrypted AS encrypted, settings.snapshot_block_public_access AS blocked
ORDER BY snapshot;

// vpcs-without-flow-log: Which VPCs have no flow log
MATCH (vpc:AWSVpc)
WHERE vpc.region IS NOT NULL AND NOT EXISTS { (vpc)-[:FLOW_LOG]->(:EC2FlowLog) }
RETURN vpc.region AS region, vpc.id AS vpc
ORDER BY region, vpc;

// acls-open-to-ssh: Which network ACLs let in SSH from anywhere
MATCH (rule:EC2NetworkAclRule {egress: false, ruleaction: 'allow'})-[:MEMBER_OF_NACL]->(acl:EC2NetworkAcl)
WHERE (rule.cidrblock = '0.0.0.0/0' OR rule.ipv6cidrblock = '::/0')
  AND rule.protocol IN ['-1', '6'] AND coalesce(rule.fromport, 0) <= 22 <= coalesce(rule.toport, 65535)
RETURN acl.network_acl_id AS acl, acl.vpc_id AS vpc, rule.rulenumber AS rule
ORDER BY acl, rule;
