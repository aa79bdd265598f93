// Who has which application, directly or through a group
MATCH (user:OktaUser)-[:APPLICATION]->(application:OktaApplication)
RETURN application.label AS application, collect(user.login) AS users
ORDER BY application;

// Where applications send people back to, by an address that isn't encrypted or by one of many
MATCH (application:OktaApplication)-[:REPLYURI]->(reply:ReplyUri)
RETURN application.label AS application, reply.uri AS uri, reply.uri STARTS WITH 'http://' AS in_the_clear
ORDER BY in_the_clear DESC, application, uri;
