// Which tables may be deleted by one call, and how much is in them
MATCH (account:AWSAccount)-[:RESOURCE]->(table:DynamoDBTable)
WHERE NOT coalesce(table.deletion_protection_enabled, false)
RETURN account.id AS account, table.name AS table, coalesce(table.rows, 0) AS rows
ORDER BY rows DESC, table;

// Which tables hand every change on to whoever reads their stream
MATCH (table:DynamoDBTable)-[:LATEST_STREAM]->(stream:DynamoDBStream {stream_enabled: true})
RETURN table.name AS table, stream.stream_view_type AS what
ORDER BY table;
