// users-without-strong-factor: Who has no phishing-resistant second factor
MATCH (user:OktaUser)
WHERE NOT EXISTS { (user)-[:FACTOR]->(factor:OktaUserFactor {status: 'ACTIVE'}) WHERE factor.factor_type IN ['webauthn', 'u2f'] }
RETURN user.login AS user, [(user)-[:FACTOR]->(factor:OktaUserFactor) | factor.factor_type] AS factors
ORDER BY user;

// factors-in-use: Which factors are in use
MATCH (:OktaUser)-[:FACTOR]->(factor:OktaUserFactor)
RETURN factor.factor_type AS factor, factor.provider AS provider, count(*) AS users
ORDER BY users DESC, factor;
