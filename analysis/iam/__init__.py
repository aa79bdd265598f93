"""What policies say: AWS's evaluation of them, for the jobs and for declarations under `tasks/`."""
