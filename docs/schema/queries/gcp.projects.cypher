// Which projects are there, and where
MATCH (project:GCPProject)
WHERE project.projectnumber IS NOT NULL
RETURN project.id AS project, project.displayname AS name, project.lifecyclestate AS state,
       [(above)-[:RESOURCE]->(project) | above.id] AS within
ORDER BY project;

// How much is in each project
MATCH (project:GCPProject)-[:RESOURCE]->(thing)
RETURN project.id AS project, labels(thing)[0] AS kind, count(thing) AS things
ORDER BY project, things DESC;
