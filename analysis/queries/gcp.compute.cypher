// exposed-instances: Which instances are reachable from the internet, and by which rules
MATCH (instance:GCPInstance {exposed_internet: true})<-[:FIREWALL_INGRESS]-(firewall:GCPFirewall)
RETURN instance.instancename AS instance, instance.project_id AS project, collect(firewall.name) AS rules
ORDER BY instance;

// open-firewall-rules: Which firewall rules let anyone in
MATCH (anywhere:IpRange)-[:MEMBER_OF_IP_RULE]->(rule:GCPIpRule)-[:ALLOWED_BY]->(firewall:GCPFirewall)<-[:RESOURCE]-(network:GCPVpc)
WHERE anywhere.wide
RETURN firewall.name AS firewall, network.name AS network, rule.protocol AS protocol,
       coalesce(toString(rule.fromport), 'all') AS first, coalesce(toString(rule.toport), 'all') AS last
ORDER BY firewall, protocol, first;

// instance-addresses: Which subnets are instances in, and which addresses do they have
MATCH (instance:GCPInstance)-[:NETWORK_INTERFACE]->(nic:GCPNetworkInterface)-[:PART_OF_SUBNET]->(subnet:GCPSubnet)
RETURN instance.instancename AS instance, nic.private_ip AS private,
       [(nic)-[:RESOURCE]->(config:GCPNicAccessConfig) | coalesce(config.public_ip, config.external_ipv6)] AS public,
       subnet.name AS subnet
ORDER BY instance, private;

// load-balancer-addresses: Which addresses do external load balancers have
MATCH (rule:GCPForwardingRule)
WHERE rule.load_balancing_scheme STARTS WITH 'EXTERNAL'
RETURN rule.name AS rule, rule.ip_address AS address, coalesce(rule.port_range, '') AS ports
ORDER BY rule;

// instance-logins: Which instances accept connections to their serial port, or aren't opened by IAM alone
MATCH (project:GCPProject)-[:RESOURCE]->(instance:GCPInstance)
OPTIONAL MATCH (project)-[:RESOURCE]->(settings:GCPComputeSettings)
WITH project, instance, coalesce(instance.serial_port_enable, settings.serial_port_enable, false) AS serial_port,
     coalesce(instance.enable_oslogin_metadata, settings.enable_oslogin, false) AS os_login
WHERE serial_port OR NOT os_login
RETURN instance.instancename AS instance, project.id AS project, serial_port, os_login
ORDER BY instance;

// subnets-without-flow-logs: Which subnets of instances don't log their flows
MATCH (subnet:GCPSubnet {flow_logs_enabled: false})
WHERE coalesce(subnet.purpose, 'PRIVATE') = 'PRIVATE'
RETURN subnet.name AS subnet, subnet.project_id AS project, subnet.region AS region
ORDER BY project, subnet, region;
