// public-databases: Which databases have a public address, and which security groups protect them
MATCH (database:RDSInstance {publicly_accessible: true})
OPTIONAL MATCH (database)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(group:EC2SecurityGroup)
RETURN database.db_instance_identifier AS database, database.engine AS engine, collect(group.id) AS security_groups
ORDER BY database;

// read-replicas: Which databases are read replicas, and is each as well protected as its source
MATCH (replica:RDSInstance)-[:IS_READ_REPLICA_OF]->(source:RDSInstance)
RETURN replica.db_instance_identifier AS replica, source.db_instance_identifier AS source,
       replica.storage_encrypted AS replica_encrypted, source.storage_encrypted AS source_encrypted,
       replica.publicly_accessible AS replica_public, source.publicly_accessible AS source_public
ORDER BY replica;

// database-subnets: Which subnets is each database in
MATCH (database:RDSInstance)-[:MEMBER_OF_DB_SUBNET_GROUP]->(group:DBSubnetGroup)-[:RESOURCE]->(subnet:EC2Subnet)
RETURN database.db_instance_identifier AS database, group.name AS subnet_group, collect(subnet.id) AS subnets
ORDER BY database;
