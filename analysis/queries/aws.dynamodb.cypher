// unprotected-tables: Which tables have no deletion protection, and how many rows do they have
MATCH (account:AWSAccount)-[:RESOURCE]->(table:DynamoDBTable)
WHERE NOT coalesce(table.deletion_protection_enabled, false)
RETURN account.id AS account, table.name AS table, coalesce(table.rows, 0) AS rows
ORDER BY rows DESC, table;

// tables-with-streams: Which tables publish every change to a stream
MATCH (table:DynamoDBTable)-[:LATEST_STREAM]->(stream:DynamoDBStream {stream_enabled: true})
RETURN table.name AS table, stream.stream_view_type AS what
ORDER BY table;
