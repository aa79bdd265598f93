"""IAM: users, groups and roles, their policies and statements, access keys, instance profiles, identity providers."""
