// administrators: Who is an administrator, and has a second factor or not
MATCH (user:GSuiteUser)
WHERE user.is_admin OR user.is_delegated_admin
RETURN user.email AS user, user.is_enrolled_in_2_sv AS second_factor
ORDER BY user;

// users-without-second-factor: Who has no second factor
MATCH (user:GSuiteUser)
WHERE NOT user.is_enrolled_in_2_sv AND NOT user.suspended
RETURN user.email AS user, user.org_unit_path AS unit, user.last_login_time AS last_login
ORDER BY user;
