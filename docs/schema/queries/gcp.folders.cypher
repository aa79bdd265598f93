// Which folders are in which
MATCH (outer)-[:RESOURCE]->(folder:GCPFolder)
RETURN folder.displayname AS folder, outer.id AS within
ORDER BY folder;

// Folders without a project of their own
MATCH (folder:GCPFolder)
WHERE NOT EXISTS { (folder)-[:RESOURCE]->(:GCPProject) }
RETURN folder.displayname AS folder, folder.id AS id
ORDER BY folder;
