// exposed-load-balancers: Which load balancers does the internet reach, on which ports, and which instances are behind them
MATCH (balancer:LoadBalancerV2 {exposed_internet: true})-[:ELBV2_LISTENER]->(listener:ELBV2Listener)
RETURN balancer.name AS balancer, balancer.type AS type, collect(listener.protocol + ':' + listener.port) AS listeners,
       COLLECT { MATCH (balancer)-[:EXPOSE]->(instance:EC2Instance) RETURN instance.id ORDER BY instance.id } AS instances
ORDER BY balancer;

// unencrypted-listeners: Which internet-facing load balancers have listeners for plain HTTP
MATCH (balancer:LoadBalancerV2 {scheme: 'internet-facing'})-[:ELBV2_LISTENER]->(listener:ELBV2Listener)
WHERE listener.protocol = 'HTTP'
RETURN balancer.name AS balancer, listener.port AS port
ORDER BY balancer, port;

// targets: Which targets does each load balancer forward to, instances or others
MATCH (balancer:LoadBalancerV2)-[:ELBV2_TARGET_GROUP]->(group:ELBV2TargetGroup)
RETURN balancer.name AS balancer, group.name AS target_group, group.target_type AS type, group.targets AS targets
ORDER BY balancer, target_group;
