// public-addresses: Which names in public zones point to which addresses
MATCH (zone:GCPDNSZone {visibility: 'public'})-[:HAS_RECORD]->(record:GCPRecordSet {type: 'A'})
RETURN record.name AS name, record.data AS addresses
ORDER BY name;

// records-per-zone: How many records does each zone have
MATCH (project:GCPProject)-[:RESOURCE]->(zone:GCPDNSZone)
RETURN zone.dns_name AS zone, project.id AS project, count { (zone)-[:HAS_RECORD]->(:GCPRecordSet) } AS records
ORDER BY zone;
