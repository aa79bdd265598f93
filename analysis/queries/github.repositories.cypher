// public-repositories: Which repositories can everyone read
MATCH (repository:GitHubRepository)-[:OWNER]->(owner)
WHERE NOT repository.private
RETURN repository.fullname AS repository, owner.username AS owner, repository.archived AS archived
ORDER BY repository;

// languages: Which languages are in use, and in how many repositories
MATCH (repository:GitHubRepository)-[:LANGUAGE]->(language:ProgrammingLanguage)
RETURN language.name AS language, count(repository) AS repositories
ORDER BY repositories DESC, language;

// default-branches: What is the default branch of each repository
MATCH (repository:GitHubRepository)-[:BRANCH]->(branch:GitHubBranch)
RETURN repository.fullname AS repository, branch.name AS branch
ORDER BY repository;
