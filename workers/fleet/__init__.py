"""The processes of the fleet: the Celery app, the coordinator, the fetchers, the loader, the barrier, the sweeper."""
