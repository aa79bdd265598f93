// expiring: Which certificates expire first, and what uses them
MATCH (account:AWSAccount)-[:RESOURCE]->(certificate:ACMCertificate)
WHERE certificate.not_after IS NOT NULL
RETURN account.id AS account, certificate.domainname AS domain, certificate.not_after AS until,
       certificate.renewal_eligibility AS renewed, certificate.in_use_by AS used_by
ORDER BY until LIMIT 25;

// listeners: Which listeners use which certificate
MATCH (certificate:ACMCertificate)-[:USED_BY]->(listener:ELBV2Listener)
RETURN certificate.domainname AS domain, certificate.not_after AS until, listener.id AS listener
ORDER BY until;
