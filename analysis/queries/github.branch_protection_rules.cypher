// unprotected-default-branches: Which repositories have no protection rule for exactly the name of their default branch
MATCH (repository:GitHubRepository)-[:BRANCH]->(branch:GitHubBranch)
WHERE NOT EXISTS { (repository)-[:HAS_RULE]->(rule:GitHubBranchProtectionRule) WHERE rule.pattern = branch.name }
RETURN repository.fullname AS repository, branch.name AS branch,
       [(repository)-[:HAS_RULE]->(rule:GitHubBranchProtectionRule) | rule.pattern] AS other_rules
ORDER BY repository;

// rules-without-administrators: Which rules don't apply to administrators
MATCH (repository:GitHubRepository)-[:HAS_RULE]->(rule:GitHubBranchProtectionRule)
WHERE NOT rule.is_admin_enforced
RETURN repository.fullname AS repository, rule.pattern AS pattern,
       rule.required_approving_review_count AS approvals
ORDER BY repository, pattern;
