"""Where `celery -A workers.app` finds the app: the name that scripts and unit files use."""

from workers.fleet.app import app as app
