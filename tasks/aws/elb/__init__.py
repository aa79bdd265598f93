"""Elastic Load Balancing: classic load balancers, and the newer ones."""
