// users-of-applications: Who has which application, directly or through a group
MATCH (user:OktaUser)-[:APPLICATION]->(application:OktaApplication)
RETURN application.label AS application, collect(user.login) AS users
ORDER BY application;

// redirect-uris: Which redirect URIs does each application have, and are they unencrypted
MATCH (application:OktaApplication)-[:REPLYURI]->(reply:ReplyUri)
RETURN application.label AS application, reply.uri AS uri, reply.uri STARTS WITH 'http://' AS in_the_clear
ORDER BY in_the_clear DESC, application, uri;
