"""Okta: the people of an organization, their groups, applications, factors and administrator roles."""
