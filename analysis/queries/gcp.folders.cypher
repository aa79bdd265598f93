// folder-parents: What is each folder in
MATCH (outer)-[:RESOURCE]->(folder:GCPFolder)
RETURN folder.displayname AS folder, outer.id AS within
ORDER BY folder;

// folders-without-projects: Which folders directly contain no project
MATCH (folder:GCPFolder)
WHERE NOT EXISTS { (folder)-[:RESOURCE]->(:GCPProject) }
RETURN folder.displayname AS folder, folder.id AS id
ORDER BY folder;
