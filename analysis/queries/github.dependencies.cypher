// package-versions: Which repositories depend on a package, and on which versions of it
MATCH (repository:GitHubRepository)-[:REQUIRES]->(dependency:GitHubDependency {name: 'requests'})
RETURN repository.fullname AS repository, dependency.requirements AS requirements
ORDER BY repository;

// manifests: Which manifests does each repository have, and which dependencies do they list
MATCH (repository:GitHubRepository)-[:HAS_MANIFEST]->(manifest:GitHubDependencyGraphManifest)-[:HAS_DEP]->(dependency:GitHubDependency)
RETURN repository.fullname AS repository, manifest.filename AS manifest, collect(dependency.name) AS dependencies
ORDER BY repository, manifest;
