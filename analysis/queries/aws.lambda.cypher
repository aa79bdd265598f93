// public-functions: Which functions can anybody invoke
MATCH (account:AWSAccount)-[:RESOURCE]->(function:AWSLambda {anonymous_access: true})
RETURN account.id AS account, function.name AS function, function.anonymous_actions AS actions
ORDER BY account, function;

// function-roles: Which role does each function run as
MATCH (function:AWSLambda)-[:STS_ASSUMEROLE_ALLOW]->(role:AWSPrincipal)
RETURN function.name AS function, role.arn AS role
ORDER BY function;
