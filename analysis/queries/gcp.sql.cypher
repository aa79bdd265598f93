// open-databases: Which databases may anybody on the internet connect to
MATCH (project:GCPProject)-[:RESOURCE]->(instance:GCPCloudSQLInstance {authorized_networks_wide: true})
WHERE instance.public_ip IS NOT NULL AND coalesce(instance.connector_enforcement, 'NOT_REQUIRED') <> 'REQUIRED'
RETURN instance.name AS instance, project.id AS project, instance.authorized_networks AS networks
ORDER BY instance;

// unencrypted-connections: Which databases accept connections that aren't encrypted
MATCH (instance:GCPCloudSQLInstance)
WHERE instance.ssl_mode = 'ALLOW_UNENCRYPTED_AND_ENCRYPTED'
   OR instance.ssl_mode IS NULL AND coalesce(instance.require_ssl, false) = false
RETURN instance.name AS instance, instance.database_engine AS engine
ORDER BY instance;

// unrecorded-connections: Which PostgreSQL databases don't record connections
MATCH (instance:GCPCloudSQLInstance {database_engine: 'postgres'})
WHERE NOT 'log_disconnections=on' IN instance.database_flags
RETURN instance.name AS instance, instance.database_flags AS flags
ORDER BY instance;
