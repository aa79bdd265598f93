// administrators: Who has which administrator role, directly or through a group
MATCH (user:OktaUser)-[:MEMBER_OF_OKTA_GROUP*0..1]->(holder)-[:MEMBER_OF_OKTA_ROLE]->(role:OktaAdministrationRole)
RETURN user.login AS user, role.label AS role, role.type AS type
ORDER BY user, role;

// super-administrator-factors: Which super administrators have a phishing-resistant factor
MATCH (user:OktaUser)-[:MEMBER_OF_OKTA_ROLE]->(role:OktaAdministrationRole {type: 'SUPER_ADMIN'})
RETURN user.login AS user, EXISTS { (user)-[:FACTOR]->(:OktaUserFactor {factor_type: 'webauthn'}) } AS has_one
ORDER BY user;
