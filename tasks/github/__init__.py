"""GitHub, public or an Enterprise Server: organizations with members, teams, repositories and branch protection."""
