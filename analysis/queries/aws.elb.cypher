// exposed-load-balancers: Which classic load balancers does the internet reach, and which instances are behind them
MATCH (balancer:LoadBalancer {exposed_internet: true})
OPTIONAL MATCH (balancer)-[:EXPOSE]->(instance:EC2Instance)
RETURN balancer.name AS balancer, balancer.dnsname AS address, collect(instance.id) AS instances
ORDER BY balancer;

// unencrypted-listeners: Which listeners of internet-facing classic load balancers don't use TLS
MATCH (balancer:LoadBalancer {scheme: 'internet-facing'})-[:ELB_LISTENER]->(listener:ELBListener)
WHERE NOT listener.protocol IN ['HTTPS', 'SSL']
RETURN balancer.name AS balancer, listener.port AS port, listener.protocol AS protocol
ORDER BY balancer, port;
