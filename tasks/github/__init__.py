"""GitHub, public or an Enterprise Server: organizations with their people, teams, repositories and what guards them."""
