// write-access: Who may write to which repository through a team, or through a parent of that team
MATCH (user:GitHubUser)-[:MEMBER|MAINTAINER]->(team:GitHubTeam)-[:MEMBER_OF_TEAM*0..3]->(holder:GitHubTeam),
      (holder)-[:WRITE|MAINTAIN|ADMIN]->(repository:GitHubRepository)
RETURN user.username AS user, repository.fullname AS repository, collect(DISTINCT holder.name) AS by_teams
ORDER BY user, repository;

// teams: Which teams are there, and how many members does each have
MATCH (:GitHubOrganization)-[:RESOURCE]->(team:GitHubTeam)
RETURN team.name AS team, team.privacy AS privacy, count { (:GitHubUser)-[:MEMBER|MAINTAINER]->(team) } AS members
ORDER BY team;
