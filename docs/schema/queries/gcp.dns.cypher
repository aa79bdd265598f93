// Names that lead to addresses, of zones that everyone can ask
MATCH (zone:GCPDNSZone {visibility: 'public'})-[:HAS_RECORD]->(record:GCPRecordSet {type: 'A'})
RETURN record.name AS name, record.data AS addresses
ORDER BY name;

// How many records each zone has
MATCH (project:GCPProject)-[:RESOURCE]->(zone:GCPDNSZone)
RETURN zone.dns_name AS zone, project.id AS project, count { (zone)-[:HAS_RECORD]->(:GCPRecordSet) } AS records
ORDER BY zone;
