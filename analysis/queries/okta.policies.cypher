// sessions: How long do sessions last, by which rule
MATCH (policy:OktaSignOnPolicy {status: 'ACTIVE'})-[:HAS_RULE]->(rule:OktaSignOnPolicyRule {access: 'ALLOW'})
RETURN policy.name AS policy, rule.name AS rule, rule.max_session_idle_minutes AS idle_minutes,
       rule.max_session_lifetime_minutes AS lifetime_minutes, rule.require_factor AS second_factor
ORDER BY policy, rule;

// weak-passwords: Which password policies accept short or commonly used passwords, and for which groups
MATCH (policy:OktaPasswordPolicy {status: 'ACTIVE'})
WHERE policy.min_length < 15 OR NOT policy.exclude_common
RETURN policy.name AS policy, policy.min_length AS min_length,
       [(policy)-[:APPLIES_TO]->(group:OktaGroup) | group.name] AS groups
ORDER BY policy;

// single-factor-applications: Which applications open with a single factor
MATCH (application:OktaApplication)-[:POLICY]->(policy:OktaPolicy)-[:HAS_RULE]->(rule:OktaAccessPolicyRule)
WHERE rule.access = 'ALLOW' AND rule.factor_mode = '1FA'
RETURN application.label AS application, policy.name AS policy, rule.name AS rule
ORDER BY application, rule;
