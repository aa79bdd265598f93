// Who may write to which repository through a team, or a team that it is part of
MATCH (user:GitHubUser)-[:MEMBER|MAINTAINER]->(team:GitHubTeam)-[:MEMBER_OF_TEAM*0..3]->(holder:GitHubTeam),
      (holder)-[:WRITE|MAINTAIN|ADMIN]->(repository:GitHubRepository)
RETURN user.username AS user, repository.fullname AS repository, collect(DISTINCT holder.name) AS by_teams
ORDER BY user, repository;

// Teams, and how many are in each
MATCH (:GitHubOrganization)-[:RESOURCE]->(team:GitHubTeam)
RETURN team.name AS team, team.privacy AS privacy, count { (:GitHubUser)-[:MEMBER|MAINTAINER]->(team) } AS members
ORDER BY team;
