"""What `adopt` did to a graph that another tool filled, or would do, on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from loaders.adoption import Adopted
from loaders.reason import counted


def show(adopted: Adopted, console: Console, *, dry_run: bool) -> None:
    """A table of labels, then everything else."""
    columns = {
        "merged": "into another node with the same key",
        "taken_over": "by the scope that fetches such nodes: kept if it finds them, deleted if not",
        "keyless": "nodes among these without a key: their scope creates new ones",
        "shared": "kept as long as a relationship uses them",
        "orphans": "belong to no tenant: the next run deletes those that it doesn't find",
        "left_alone": "tenants without resources, and nodes whose region is unknown: kept as they are",
    }
    shown = [name for name in columns if any(getattr(line, name) for line in adopted.labels)]
    if shown:
        table = Table("label", box=None, pad_edge=False)
        for name in shown:
            table.add_column(name.replace("_", " "), justify="right")
        for line in adopted.labels:
            table.add_row(line.label, *(str(getattr(line, name) or "-") for name in shown))
        console.print(table)
        for name in shown:
            console.print(f"{name.replace('_', ' ')}: {columns[name]}", soft_wrap=True)
    for change in adopted.relabelled:
        nodes = counted(change["nodes"], f"{change['label']} node")
        console.print(f"label {change['change']}: {nodes}; {change['reason']}", soft_wrap=True)
    for edge, count in adopted.relationships.items():
        console.print(f"no longer maintained, so deleted: {count} {edge} relationships", soft_wrap=True)
    if adopted.indexes:
        console.print(f"plain indexes that become constraints: {', '.join(adopted.indexes)}", soft_wrap=True)
    if adopted.others:
        others = ", ".join(f"{label} {count}" for label, count in adopted.others.items())
        console.print(f"others, kept as they are: {others}", soft_wrap=True)
    if not (shown or adopted.relabelled or adopted.indexes):
        console.print("Nothing to take over.")
    elif dry_run:
        console.print("Nothing was changed: this was a dry run.")
