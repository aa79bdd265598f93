// origins: Which origins are trusted, and for what
MATCH (:OktaOrganization)-[:RESOURCE]->(origin:OktaTrustedOrigin)
RETURN origin.name AS name, origin.origin AS origin, origin.scopes AS scopes
ORDER BY origin;

// unencrypted-origins: Which trusted origins aren't encrypted
MATCH (origin:OktaTrustedOrigin)
WHERE origin.origin STARTS WITH 'http://'
RETURN origin.name AS name, origin.origin AS origin, origin.status AS status
ORDER BY origin;
