"""GSuite, now Google Workspace: the users and groups of a customer."""
