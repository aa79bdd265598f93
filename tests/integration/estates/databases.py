"""Databases with a password that must not get into the graph."""

from __future__ import annotations

from typing import Any

SECRET = "nobody-may-see-this"


def database(rds: Any, name: str, **more: Any) -> None:
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="dbadmin",
        MasterUserPassword=SECRET,
        **more,
    )
