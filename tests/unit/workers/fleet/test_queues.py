"""Which task goes to which queue, and what Celery knows of the queues."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from celery import Celery

from tasks.engine import registry
from workers.fleet.configuration import configuration
from workers.fleet.queues import every_queue, expand, queue_of
from workers.settings.settings import Settings


@pytest.mark.parametrize(
    ("task", "queue"),
    [
        ("aws.ec2.instances", "fetch.aws"),
        ("okta.users", "fetch.okta"),
        ("aws.tenants", "coordinator"),
        ("aws.regions", "coordinator"),
        ("chartfleet.sync", "coordinator"),
        ("chartfleet.admit", "coordinator"),
        ("chartfleet.load", "loader"),
        ("chartfleet.analyse", "loader"),
    ],
)
def test_a_task_goes_to_the_queue_of_its_kind(task: str, queue: str) -> None:
    assert queue_of(task) == queue
    app = Celery(set_as_current=False)
    app.conf.update(configuration(Settings.load({}, {})))
    assert app.amqp.router.route({}, task)["queue"].name == queue


def test_fetch_stands_for_the_queue_of_every_provider() -> None:
    assert expand(["fetch", "loader"]) == [*(f"fetch.{name}" for name in registry.providers()), "loader"]


def test_every_queue_is_declared_with_an_exchange_of_its_own() -> None:
    """With a shared exchange, a message for one queue would reach all of them."""
    app = Celery(set_as_current=False)
    app.conf.update(configuration(Settings.load({}, {})))
    declared = app.amqp.queues
    assert sorted(declared) == sorted(every_queue())
    for name, queue in declared.items():
        assert (queue.exchange.name, queue.routing_key) == (name, name)


def test_without_q_a_worker_of_celery_serves_the_coordinator_only(tmp_path: Path) -> None:
    """Flower is to see all queues; a worker that wasn't told to write must not."""
    code = (
        "from celery import signals\n"
        "from workers.app import app\n"
        "signals.celeryd_init.send(sender='one@host', options={})\n"  # as Celery does before it reads -Q
        "print(*app.amqp.queues.consume_from)\n"
        "app.amqp.queues.select(['loader'])\n"
        "print(*app.amqp.queues.consume_from)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split() == ["coordinator", "loader"]


def test_a_worker_loads_only_what_it_serves() -> None:
    """The declarations and the client of one provider, and no driver of a graph that it doesn't write to."""
    code = (
        "import sys\n"
        "from workers.fleet import app\n"
        "app.declare_tasks(['fetch.okta'])\n"
        "tasks = [name for name in app.app.tasks if name.startswith(('okta.', 'aws.'))]\n"
        "heavy = ('neo4j', 'botocore', 'googleapiclient', 'policyuniverse')\n"
        "loaded = [name for name in heavy if name in sys.modules]\n"
        "print(sorted(tasks)[0], loaded)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "okta.api_tokens []\n"
