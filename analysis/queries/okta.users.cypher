// accounts-of-people: Which accounts does each person have
MATCH (person:Human)-[:IDENTITY_OKTA]->(user:OktaUser)
OPTIONAL MATCH (person)-[:IDENTITY_GSUITE]->(account:GSuiteUser)
RETURN person.email AS person, user.login AS okta, coalesce(account.primary_email, '') AS gsuite
ORDER BY gsuite DESC, person;

// never-signed-in: Who has never signed in
MATCH (user:OktaUser)
WHERE user.last_login IS NULL
RETURN user.login AS user, user.status AS status, user.created AS created
ORDER BY user;
