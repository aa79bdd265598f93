// outside-collaborators: Which outside collaborators have access to which repositories
MATCH (user:GitHubUser)-[access:OUTSIDE_COLLAB_ADMIN|OUTSIDE_COLLAB_MAINTAIN|OUTSIDE_COLLAB_WRITE|OUTSIDE_COLLAB_TRIAGE|OUTSIDE_COLLAB_READ]->(repository:GitHubRepository)
RETURN user.username AS user, repository.fullname AS repository, type(access) AS access
ORDER BY user, repository;

// direct-administrators: Who is an administrator of a repository directly, not through a team
MATCH (user:GitHubUser)-[:DIRECT_COLLAB_ADMIN]->(repository:GitHubRepository)
RETURN repository.fullname AS repository, collect(user.username) AS administrators
ORDER BY repository;
