// images-by-tag: Which images are in a repository, by tag and digest
MATCH (repository:ECRRepository)-[:REPO_IMAGE]->(image:ECRRepositoryImage)-[:IMAGE]->(content:ECRImage)
RETURN repository.name AS repository, coalesce(image.tag, '') AS tag, content.digest AS digest
ORDER BY repository, tag;

// most-tagged-images: Which image content has the most names
MATCH (image:ECRRepositoryImage)-[:IMAGE]->(content:ECRImage)
RETURN content.digest AS digest, count(*) AS names, collect(image.uri)[..5] AS some
ORDER BY names DESC, digest;
