// load-balancers: Which load balancers does each accelerator lead to, on which ports, and are they public themselves
MATCH (accelerator:GlobalAccelerator)-[:ACCELERATOR_ENDPOINT]->(endpoint:GlobalAcceleratorEndpoint)-[:LEADS_TO]->(balancer:LoadBalancerV2)
RETURN accelerator.name AS accelerator, endpoint.protocol AS protocol, endpoint.from_ports AS first, endpoint.to_ports AS last,
       balancer.name AS balancer, balancer.scheme AS scheme
ORDER BY accelerator, balancer;

// instances: Which instances are endpoints of an accelerator
MATCH (accelerator:GlobalAccelerator)-[:ACCELERATOR_ENDPOINT]->(endpoint:GlobalAcceleratorEndpoint)-[:LEADS_TO]->(instance:EC2Instance)
RETURN accelerator.name AS accelerator, endpoint.endpoint_id AS endpoint, instance.id AS instance, instance.region AS region
ORDER BY accelerator, instance;

// custom-routing-subnets: Which subnets can custom routing accelerators lead to
MATCH (accelerator:CustomRoutingAccelerator)-[:LEADS_TO]->(subnet:EC2Subnet)
RETURN accelerator.name AS accelerator, accelerator.enabled AS enabled, collect(subnet.id) AS subnets
ORDER BY accelerator;
