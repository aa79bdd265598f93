// rotation: Which keys that encrypt are rotated by themselves less than every 90 days, or never
MATCH (ring:GCPKeyRing)-[:CONTAINS]->(key:GCPCryptoKey {purpose: 'ENCRYPT_DECRYPT'})
WHERE coalesce(key.rotation_period_seconds > 90 * 24 * 3600, true)
RETURN key.name AS key, ring.name AS ring, ring.location AS location
ORDER BY key;

// public-keys: Which keys may anybody use
MATCH (ring:GCPKeyRing)-[:CONTAINS]->(key:GCPCryptoKey)
WHERE size(ring.iam_public_roles) + size(key.iam_public_roles) > 0
RETURN key.name AS key, ring.iam_public_roles AS roles_on_ring, key.iam_public_roles AS roles_on_key
ORDER BY key;
