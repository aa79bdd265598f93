// private-load-balancers: Which load balancers does CloudFront reach inside a VPC
MATCH (origin:CloudFrontVpcOrigin)-[:ORIGIN_ENDPOINT]->(balancer:LoadBalancerV2)
RETURN origin.name AS origin, origin.status AS status, balancer.name AS balancer, balancer.scheme AS scheme
ORDER BY origin;

// private-instances: Which instances does CloudFront reach inside a VPC
MATCH (origin:CloudFrontVpcOrigin)-[:ORIGIN_ENDPOINT]->(instance:EC2Instance)
RETURN origin.name AS origin, instance.id AS instance, instance.region AS region
ORDER BY origin;
