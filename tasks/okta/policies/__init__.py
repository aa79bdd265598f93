"""Policies: how users sign in, how long sessions last, and what passwords and authenticators they need."""
