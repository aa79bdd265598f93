// public-names: Which names are in a public zone, and what do they point to
MATCH (record:AWSDNSRecord)-[:MEMBER_OF_DNS_ZONE]->(zone:AWSDNSZone {privatezone: false})
WHERE record.value IS NOT NULL
RETURN zone.name AS zone, record.name AS name, record.type AS type, record.value AS value
ORDER BY zone, name, type;

// addresses-of-names: Which addresses do names resolve to
MATCH (record:AWSDNSRecord)-[:DNS_POINTS_TO]->(address:Ip)
RETURN record.name AS name, collect(address.id) AS addresses
ORDER BY name;
