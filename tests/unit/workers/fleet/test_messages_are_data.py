"""A message that holds code is refused unread: a worker takes JSON and nothing else."""

from __future__ import annotations

import pickle
from pathlib import Path

from celery import Celery
from celery.contrib.testing.worker import start_worker
from kombu import Producer

from workers.fleet.configuration import configuration
from workers.settings.settings import Settings


class Bomb:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.file,)


def test_a_pickled_message_runs_nothing(tmp_path: Path) -> None:
    app = Celery(set_as_current=False)
    values = configuration(Settings.load({}, {})) | {"broker_transport_options": {}, "task_queues": None}
    app.conf.update(values | {"broker_url": "memory://", "result_backend": "cache+memory://", "task_routes": ()})

    @app.task(name="work", shared=False, ignore_result=False)
    def work(*_: object) -> str:
        return "done"

    assert app.conf.accept_content == ["json"]
    assert app.conf.result_accept_content in (None, ["json"])
    file = tmp_path / "ran"
    headers = {"task": "work", "id": "1", "lang": "py"}
    body = pickle.dumps(([Bomb(file)], {}, {}))
    with start_worker(app, perform_ping_check=False):
        with app.connection_for_write() as connection:
            Producer(connection).publish(
                body,
                routing_key="coordinator",
                exchange="coordinator",
                headers=headers,
                content_type="application/x-python-serialize",
                content_encoding="binary",
            )
        assert app.send_task("work").get(timeout=20) == "done"
    assert not file.exists()
