"""Fleets for tests: real Celery workers as processes, and runs over them."""
