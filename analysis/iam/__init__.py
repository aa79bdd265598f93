"""AWS's evaluation of policies, for analysis jobs and for declarations under `tasks/`."""
