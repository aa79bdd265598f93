// projects: Which projects are there, and what are they in
MATCH (project:GCPProject)
WHERE project.projectnumber IS NOT NULL
RETURN project.id AS project, project.displayname AS name, project.lifecyclestate AS state,
       [(above)-[:RESOURCE]->(project) | above.id] AS within
ORDER BY project;

// resources-per-project: How many resources of each kind does each project have
MATCH (project:GCPProject)-[:RESOURCE]->(thing)
RETURN project.id AS project, labels(thing)[0] AS kind, count(thing) AS things
ORDER BY project, things DESC;
